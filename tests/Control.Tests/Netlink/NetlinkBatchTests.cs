using System.Diagnostics;
using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class NetlinkBatchTests
{
    private static readonly int[] s_exists = [Errno.EEXIST];

    [Fact]
    public void Requests_go_in_few_datagrams_of_which_only_the_last_request_asks_for_an_answer()
    {
        using FakeKernel kernel = new(request => [Acknowledge(Split(request)[^1], 0)]);
        using NetlinkSocket socket = kernel.Connect();
        Assert.All(socket.Execute(Batch(150)), Assert.Null);
        byte[][] datagrams = [.. kernel.Requests];
        Assert.Equal([64, 64, 22], datagrams.Select(datagram => Split(datagram).Count));
        byte[][] messages = [.. datagrams.SelectMany(Split)];
        Assert.Equal(Enumerable.Range(1, 150).Select(n => (uint)n), messages.Select(SequenceOf));
        Assert.Equal([64u, 128u, 150u], messages.Where(message => (FlagsOf(message) & 4) != 0).Select(SequenceOf));
        Assert.Empty(socket.Execute(new NetlinkBatch()));
    }

    [Fact]
    public void A_refusal_is_told_of_its_own_request_only()
    {
        using FakeKernel kernel = new(request =>
        {
            List<byte[]> messages = Split(request);
            return [Acknowledge(messages[3], Errno.EPERM), Acknowledge(messages[5], Errno.EEXIST), Acknowledge(messages[^1], 0)];
        });
        using NetlinkSocket socket = kernel.Connect();
        NetlinkException?[] failures = socket.Execute(Batch(10, s_exists));
        Assert.StartsWith("cannot do number 3: ", Assert.Single(failures, failure => failure is not null)!.Message, StringComparison.Ordinal);
        Assert.NotNull(failures[3]);
    }

    [Fact]
    public void After_an_overrun_only_the_requests_of_that_datagram_count_as_failed()
    {
        int datagrams = 0;
        using FakeKernel kernel = new(request => datagrams++ == 1
            ? [Message(4, 0, SequenceOf(request))]
            : [Acknowledge(Split(request)[^1], 0)]);
        using NetlinkSocket socket = kernel.Connect();
        NetlinkException?[] failures = socket.Execute(Batch(200));
        Assert.Equal(Enumerable.Range(64, 64), Enumerable.Range(0, 200).Where(i => failures[i] is not null));
        Assert.Equal(Errno.ENOBUFS, failures[64]!.Errno);
    }

    [Fact]
    public void A_kernel_that_does_not_answer_fails_what_is_left()
    {
        int datagrams = 0;
        using FakeKernel kernel = new(request => datagrams++ == 1 ? [] : [Acknowledge(Split(request)[^1], 0)]);
        using NetlinkSocket socket = kernel.Connect(milliseconds: 50);
        NetlinkException?[] failures = socket.Execute(Batch(200));
        Assert.Equal(Enumerable.Range(64, 136), Enumerable.Range(0, 200).Where(i => failures[i] is { Errno: Errno.ETIMEDOUT }));
    }

    [Fact]
    public void Many_ways_are_asked_for_at_once() => Run(() =>
    {
        Shell("""
            ip link add va type veth peer name vb; ip link set va up; ip link set vb up; ip address add 192.0.2.1/24 dev va
            ip route add 198.51.100.0/24 via 192.0.2.254; ip route add unreachable 203.0.113.0/24
            """);
        using NetlinkClient netlink = new();
        IPAddress[] destinations = [.. Enumerable.Range(2, 250).SelectMany(n => (string[])[$"192.0.2.{n}", $"198.51.100.{n}", $"203.0.113.{n}"]).Select(IPAddress.Parse)];
        Route?[] routes = netlink.Routes.Find(destinations);
        for (int i = 0; i < destinations.Length; i++) Assert.Equal(netlink.Routes.Find(destinations[i]), routes[i]);
        Assert.Equal((null, "192.0.2.254", null), (routes[0]!.Gateway, routes[1]!.Gateway!.ToString(), routes[2]));
    });

    [Fact]
    public void Refusals_of_the_kernel_are_found_among_thousands() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb; ip link set va up");
        using NetlinkClient netlink = new();
        int link = netlink.Links.Get("va").Index;
        NetlinkBatch batch = new();
        // Every third belongs to no link; each datagram has more errors than successes hide.
        for (int i = 0; i < 9000; i++) NeighbourClient.Set(batch, new(i % 3 == 2 ? 9999 : link, new IPAddress([10, 5, (byte)(i >> 8), (byte)i]), new(0x020000000000ul + (ulong)i)));
        long started = Stopwatch.GetTimestamp();
        NetlinkException?[] failures = netlink.Execute(batch);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        for (int i = 0; i < failures.Length; i++) Assert.Equal(i % 3 == 2 ? Errno.ENODEV : 0, failures[i]?.Errno ?? 0);
        Assert.Equal(6000, netlink.Neighbours.List(netlink.Links.Get("va"), System.Net.Sockets.AddressFamily.InterNetwork).Count(n => n.State == NeighbourState.Permanent));
        Assert.InRange(elapsed.TotalSeconds, 0, 2);
    });

    private static NetlinkBatch Batch(int count, int[]? tolerated = null)
    {
        NetlinkBatch batch = new();
        byte[] message = Message(28, 1, 0, new byte[12]);
        for (int i = 0; i < count; i++)
        {
            int number = i;
            Assert.Equal(i, batch.Add(message, () => $"do number {number}", tolerated));
        }
        return batch;
    }
}
