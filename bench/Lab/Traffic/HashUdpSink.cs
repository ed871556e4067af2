using System.Security.Cryptography;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;
using FlannelFast.Dataplane.Sockets;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// The UDP half of hash-sink: takes windows of datagrams, compares each with what it must be, and says which are missing. One run
/// at a time. The source's hello carries in its sequence the largest payload (low 16 bits) and the total (above).
/// </summary>
internal sealed unsafe class HashUdpSink : IDisposable
{
    private readonly LabSocket _socket;
    private readonly NativeSlab _slab = new(256 * 1024);
    private readonly byte* _datagram;
    private readonly byte* _from;
    private readonly byte[] _expected = new byte[65_536];
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _digest = new byte[32];
    private readonly byte[][] _window = new byte[HashPlan.Window][];
    private HashPlan _plan;
    private ulong _base, _arrived;
    private long _hashed, _corrupt;
    private bool _finished;

    internal HashUdpSink(LabSocket socket)
    {
        _socket = socket;
        _datagram = _slab.Take<byte>(65_536);
        _from = _slab.Take<byte>(SocketAddress.MaxSize);
        for (int i = 0; i < _window.Length; i++) _window[i] = new byte[65_536];
    }

    internal long Runs { get; private set; }

    internal long Bytes { get; private set; }

    internal long Corrupt { get; private set; }

    internal void Serve(StopSignal stop)
    {
        while (!stop.IsSet)
        {
            uint fromLength = SocketAddress.MaxSize;
            SysResult got = SysResult.From(Libc.recvfrom(_socket.Fd, _datagram, 65_536, 0, _from, &fromLength));
            if (got.IsError)
            {
                if (!LabSocket.IsTransient(got.Errno)) throw LabSocket.Failure("receive", got);
                continue;
            }
            ProbeHeader header = *(ProbeHeader*)_datagram;
            if (got.Value < ProbeHeader.Size || !header.IsOurs) continue;
            if (header.Kind == ProbeKind.Hello) Begin(header);
            if (header.Sender != _plan.Seed) continue;
            switch (header.Kind)
            {
                case ProbeKind.Hello:
                    Answer(header, fromLength);
                    break;
                case ProbeKind.HashData:
                    Take(header.Sequence, new ReadOnlySpan<byte>(_datagram + ProbeHeader.Size, got.Value - ProbeHeader.Size));
                    break;
                case ProbeKind.HashQuery:
                    Answer(header, fromLength);
                    break;
                case ProbeKind.HashDigest:
                    Finish();
                    Answer(header, fromLength);
                    break;
            }
        }
    }

    public void Dispose()
    {
        _hash.Dispose();
        _slab.Dispose();
    }

    private void Begin(ProbeHeader header)
    {
        int payload = (int)(header.Sequence & 0xffff);
        if (header.Sender == _plan.Seed || payload == 0) return;
        _plan = new HashPlan(header.Sender, (long)(header.Sequence >> 16), payload);
        (_base, _arrived, _hashed, _corrupt, _finished) = (0, 0, 0, 0, false);
        _hash.GetHashAndReset();
        Array.Clear(_digest);
    }

    private void Take(ulong sequence, ReadOnlySpan<byte> payload)
    {
        // The first datagram of the next window says that the source has seen this one complete.
        if (_arrived == Full && sequence >= _base + HashPlan.Window) NextWindow();
        if (sequence < _base || sequence >= _base + HashPlan.Window) return;
        int length = _plan.Length(sequence);
        Span<byte> expected = _expected.AsSpan(0, length);
        PayloadGenerator.Fill(_plan.Seed, sequence, expected);
        if (!payload.SequenceEqual(expected))
        {
            _corrupt++;
            Corrupt++;
            return;
        }
        int place = (int)(sequence - _base);
        payload.CopyTo(_window[place]);
        _arrived |= 1UL << place;
    }

    private static ulong Full => (1UL << HashPlan.Window) - 1;

    private void NextWindow()
    {
        for (int i = 0; i < HashPlan.Window; i++) Append(i);
        (_base, _arrived) = (_base + HashPlan.Window, 0);
    }

    private void Append(int place)
    {
        int length = (int)Math.Min(_plan.Length(_base + (ulong)place), _plan.Total - _hashed);
        _hash.AppendData(_window[place], 0, length);
        _hashed += length;
        Bytes += length;
    }

    private void Finish()
    {
        if (_finished) return;
        for (int i = 0; (_arrived >> i & 1) != 0; i++) Append(i);
        _hash.GetHashAndReset(_digest);
        _finished = true;
        Runs++;
    }

    private void Answer(ProbeHeader question, uint fromLength)
    {
        HashAnswer answer = new()
        {
            Header = question,
            // The window before is complete, or this one could not have begun.
            Arrived = question.Sequence == _base ? _arrived : question.Sequence < _base ? Full : 0,
            Corrupt = _corrupt,
            Bytes = _hashed,
        };
        _digest.CopyTo(new Span<byte>(answer.Digest, 32));
        _ = Libc.sendto(_socket.Fd, &answer, (nuint)sizeof(HashAnswer), Libc.MSG_NOSIGNAL, _from, fromLength);
    }
}
