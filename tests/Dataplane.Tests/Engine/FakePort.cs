using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>Lets the worker's loops run on a <see cref="FakeHost"/>.</summary>
internal readonly unsafe struct FakePort(FakeHost host) : IPacketPort
{
    public nint ReadTun(iovec* iov, int count) => host.ReadTun(iov, count);

    public nint WriteTun(iovec* iov, int count) => host.WriteTun(iov, count);

    public int Send(int source, mmsghdr* messages, int count) => host.Send(source, messages, count);

    public int Receive(mmsghdr* messages, int count) => host.Receive(messages, count);

    public void Wait(bool tun, int timeoutMilliseconds) => throw new InvalidOperationException("tests drive bursts themselves");

    public void WaitWritable(int source, int timeoutMilliseconds) => host.WaitWritable(source);

    public void Pause(int microseconds) => throw new InvalidOperationException("tests drive bursts themselves");

    public bool TrySetUrgency(Urgency urgency) => throw new InvalidOperationException("tests drive bursts themselves");
}
