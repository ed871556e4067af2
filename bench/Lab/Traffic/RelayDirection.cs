using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;

namespace FlannelFast.Lab.Traffic;

/// <summary>One direction of a relay: frames of one device leave by the other one, later, in another order, twice or never. One thread.</summary>
internal sealed unsafe class RelayDirection : IDisposable
{
    private const int Batch = 64;

    // 14 bytes of Ethernet before the largest MTU there is, and the virtio-net header before that.
    private const int Room = 65_535 + Libc.ETH_HLEN + 128;

    // A tenth of a second at 5 Gb/s.
    private const int LineBytes = 64 << 20;

    private readonly PacketSocket _from, _to;
    private readonly Impairment _impairment;
    private readonly Random _random;
    private readonly DelayLine _line = new(LineBytes);
    private readonly NativeSlab _slab = new((Batch * (Room + 128)) + (2 * 2 * Batch * 256));
    private readonly mmsghdr* _received;
    private readonly mmsghdr* _sending;
    private int _collected;

    internal RelayDirection(PacketSocket from, PacketSocket to, Impairment impairment, Random random)
    {
        (_from, _to, _impairment, _random) = (from, to, impairment, random);
        _received = _slab.Take<mmsghdr>(Batch);
        _sending = _slab.Take<mmsghdr>(2 * Batch);
        iovec* vectors = _slab.Take<iovec>(3 * Batch);
        for (int i = 0; i < Batch; i++)
        {
            vectors[i] = new iovec { iov_base = _slab.Take<byte>(Room), iov_len = Room };
            _received[i].msg_hdr = new msghdr { msg_iov = vectors + i, msg_iovlen = 1 };
        }
        for (int i = 0; i < 2 * Batch; i++) _sending[i].msg_hdr = new msghdr { msg_iov = vectors + Batch + i, msg_iovlen = 1 };
    }

    /// <summary>Frames that went on.</summary>
    internal long Forwarded { get; private set; }

    /// <summary>Frames that vanished as asked for.</summary>
    internal long Lost { get; private set; }

    /// <summary>Frames that skipped the delay.</summary>
    internal long Reordered { get; private set; }

    /// <summary>Second copies.</summary>
    internal long Duplicated { get; private set; }

    /// <summary>Frames for which there was no room: nobody asked for this loss.</summary>
    internal long Overflowed { get; private set; }

    /// <summary>Carries frames until the end.</summary>
    /// <exception cref="AgentException">A device is gone.</exception>
    internal void Run(StopSignal stop)
    {
        Clock.SharpenSleeps();
        while (!stop.IsSet)
        {
            SendArrived();
            SysResult got = SysResult.From(Libc.recvmmsg(_from.Fd, _received, Batch, Libc.MSG_DONTWAIT, null));
            if (got.IsSuccess)
            {
                TakeBurst(got.Value);
                continue;
            }
            if (!LabSocket.IsTransient(got.Errno)) throw LabSocket.Failure("receive frames", got);
            long wait = Math.Min(_line.NextDue - Clock.Now, LabSocket.WaitMilliseconds * Clock.Millisecond);
            if (wait > 0) _from.Wait(wait);
        }
        Overflowed += _from.TakeDrops();
    }

    public void Dispose()
    {
        _line.Dispose();
        _slab.Dispose();
    }

    private void TakeBurst(int count)
    {
        long due = Clock.Now + _impairment.Delay;
        for (int i = 0; i < count; i++)
        {
            var frame = (byte*)_received[i].msg_hdr.msg_iov->iov_base;
            int length = (int)_received[i].msg_len;
            FrameFate fate = _impairment.Next(_random);
            if (fate == FrameFate.Lost)
            {
                Lost++;
                continue;
            }
            bool twice = (fate & FrameFate.Twice) != 0, atOnce = (fate & FrameFate.AtOnce) != 0;
            if (twice) Duplicated++;
            if (atOnce) Reordered++;
            for (int copy = twice ? 2 : 1; copy > 0; copy--)
            {
                if (atOnce || _impairment.Delay == 0) Collect(frame, length);
                else if (!_line.TryAdd(frame, length, due)) Overflowed++;
            }
        }
        SendCollected();
    }

    private void SendArrived()
    {
        long now = Clock.Now, position = 0;
        while (_line.TryPeek(ref position, now, out byte* frame, out int length))
        {
            Collect(frame, length);
            if (_collected < Batch) continue;
            SendCollected();
            _line.RemoveTo(position);
        }
        SendCollected();
        _line.RemoveTo(position);
    }

    private void Collect(byte* frame, int length) => *_sending[_collected++].msg_hdr.msg_iov = new iovec { iov_base = frame, iov_len = (nuint)length };

    private void SendCollected()
    {
        for (int sent = 0; sent < _collected;)
        {
            SysResult result = SysResult.From(Libc.sendmmsg(_to.Fd, _sending + sent, (uint)(_collected - sent), Libc.MSG_DONTWAIT));
            if (result.IsSuccess)
            {
                sent += result.Value;
                Forwarded += result.Value;
                continue;
            }
            if (!LabSocket.IsTransient(result.Errno)) throw LabSocket.Failure("send frames", result);
            // A full queue loses the frame, as a switch would.
            sent++;
            Overflowed++;
        }
        _collected = 0;
    }
}
