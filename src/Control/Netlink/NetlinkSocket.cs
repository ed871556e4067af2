using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// Requests to the kernel and their answers, one at a time; any thread may call. What was attempted is said by a
/// function, called only for an error, which may itself use this socket to find a name.
/// </summary>
internal sealed class NetlinkSocket : IDisposable
{
    /// <summary>Dumps that a change made inconsistent are repeated this often at most.</summary>
    internal const int DumpAttempts = 10;

    /// <summary>
    /// Requests in one datagram. Each may be answered by an error of about a kilobyte of the receive buffer, the kernel's overhead
    /// included; the default buffer (net.core.rmem_default, 208 KiB) must take them all.
    /// </summary>
    internal const int BatchSize = 64;

    /// <summary>The kernel answers before a request is sent: this ends only what is broken.</summary>
    internal static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly NetlinkChannel _channel;
    private readonly TimeSpan _timeout;
    private uint _sequence;

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    /// <exception cref="NetlinkException">The system has no socket for us.</exception>
    internal NetlinkSocket()
        : this(NetlinkChannel.Open(), DefaultTimeout)
    {
    }

    /// <summary>Uses an open channel, owned from here on.</summary>
    /// <param name="channel">Subscribed to no group.</param>
    /// <param name="timeout">How long the kernel may be silent during one request. It answers before the request is sent, so this ends only what is broken.</param>
    internal NetlinkSocket(NetlinkChannel channel, TimeSpan timeout)
    {
        _channel = channel;
        _timeout = timeout;
    }

    /// <summary>Has a request carried out.</summary>
    /// <param name="request">A finished message; its flags and sequence number are filled in here.</param>
    /// <param name="attempted">What follows "cannot" in an error.</param>
    /// <exception cref="NetlinkException">The kernel refused, or did not answer (ETIMEDOUT).</exception>
    internal void Execute(Span<byte> request, Func<string> attempted)
    {
        NetlinkAcknowledgement end = Exchange<object>(request, Libc.NLM_F_ACK, null, null, out _);
        if (end.Errno != 0) throw new NetlinkException(end.Errno, attempted(), end.Sentence);
    }

    /// <summary>As <see cref="Execute(Span{byte}, Func{string})"/>, but false instead of an exception for one of the errors given.</summary>
    internal bool TryExecute(Span<byte> request, ReadOnlySpan<int> errors, Func<string> attempted)
    {
        NetlinkAcknowledgement end = Exchange<object>(request, Libc.NLM_F_ACK, null, null, out _);
        if (end.Errno == 0) return true;
        return errors.Contains(end.Errno) ? false : throw new NetlinkException(end.Errno, attempted(), end.Sentence);
    }

    /// <summary>Asks for one object; false if the kernel answers with one of the errors that mean there is none.</summary>
    /// <exception cref="NetlinkException">The kernel refused for another reason, did not answer, or answered with no such object.</exception>
    internal bool TryGet<T>(Span<byte> request, NetlinkParser<T> parser, ReadOnlySpan<int> absent, Func<string> attempted,
        [NotNullWhen(true)] out T? item)
        where T : class
    {
        List<T> answers = [];
        NetlinkAcknowledgement end = Exchange(request, Libc.NLM_F_ACK, parser, answers, out _);
        item = answers.FirstOrDefault();
        if (end.Errno == 0) return item is not null ? true : throw new NetlinkException(Errno.EBADMSG, attempted(), "the kernel's answer is not understood");
        return absent.Contains(end.Errno) ? false : throw new NetlinkException(end.Errno, attempted(), end.Sentence);
    }

    /// <summary>Asks for all objects of a kind, all of one moment: a dump during which the kernel's table changed is repeated.</summary>
    /// <exception cref="NetlinkException">The kernel refused, did not answer, or every attempt was interrupted by a change (EINTR).</exception>
    internal List<T> Dump<T>(Span<byte> request, NetlinkParser<T> parser, Func<string> attempted)
        where T : class
    {
        for (int attempt = 1; attempt <= DumpAttempts; attempt++)
        {
            List<T> items = [];
            NetlinkAcknowledgement end = Exchange(request, Libc.NLM_F_DUMP, parser, items, out bool interrupted);
            if (end.Errno != 0) throw new NetlinkException(end.Errno, attempted(), end.Sentence);
            if (!interrupted) return items;
        }
        throw new NetlinkException(Errno.EINTR, attempted(), $"the table changed during each of {DumpAttempts} attempts");
    }

    /// <summary>Has many requests carried out in their order, with one system call for some dozens of them.</summary>
    /// <returns>For each request null, or why it was not carried out. One refusal does not stop the others.</returns>
    internal NetlinkException?[] Execute(NetlinkBatch batch) => ExchangeAll<object>(batch, null, null);

    /// <summary>Asks for many objects, one for each request of the batch.</summary>
    /// <param name="batch">The questions.</param>
    /// <param name="parser">Reads the answers.</param>
    /// <param name="answers">One place for each question; left alone where the kernel gives no answer.</param>
    /// <returns>As <see cref="Execute(NetlinkBatch)"/>.</returns>
    internal NetlinkException?[] Get<T>(NetlinkBatch batch, NetlinkParser<T> parser, T?[] answers)
        where T : class => ExchangeAll(batch, parser, answers);

    public void Dispose()
    {
        lock (_lock) _channel.Dispose();
    }

    private NetlinkAcknowledgement Exchange<T>(Span<byte> request, ushort flags, NetlinkParser<T>? parser, List<T>? items, out bool interrupted)
        where T : class
    {
        lock (_lock)
        {
            interrupted = false;
            // What a request that timed out left behind: late answers, or a dump whose end the kernel still waits to deliver (EBUSY for the next).
            SysResult discarded = _channel.Discard();
            if (discarded.IsError) return new(discarded.Errno, null);
            uint sequence = ++_sequence;
            ref nlmsghdr header = ref MemoryMarshal.AsRef<nlmsghdr>(request);
            header.nlmsg_seq = sequence;
            header.nlmsg_flags |= flags;
            SysResult sent = _channel.Send(request);
            if (sent.IsError) return new(sent.Errno, null);
            while (true)
            {
                SysResult received = Receive(out ReadOnlySpan<byte> datagram);
                if (received.IsError) return new(received.Errno, null);
                NetlinkMessageReader messages = new(datagram);
                while (messages.TryRead(out NetlinkMessage message))
                {
                    if (message.Header.nlmsg_seq != sequence) continue;
                    interrupted |= (message.Header.nlmsg_flags & Libc.NLM_F_DUMP_INTR) != 0 && message.Type != Libc.NLMSG_ERROR;
                    if (message.Type is Libc.NLMSG_ERROR or Libc.NLMSG_DONE) return NetlinkAcknowledgement.Read(message);
                    if (message.Type == Libc.NLMSG_OVERRUN) return new(Errno.ENOBUFS, null);
                    if (parser is not null && parser(message, out T? item)) items!.Add(item);
                }
                if (messages.IsMalformed) return new(Errno.EBADMSG, null);
            }
        }
    }

    private NetlinkException?[] ExchangeAll<T>(NetlinkBatch batch, NetlinkParser<T>? parser, T?[]? answers)
        where T : class
    {
        NetlinkAcknowledgement[] ends = new NetlinkAcknowledgement[batch.Count];
        lock (_lock)
        {
            for (int first = 0; first < batch.Count; first += BatchSize)
            {
                int count = Math.Min(BatchSize, batch.Count - first);
                SysResult result = Exchange(batch, first, count, ends.AsSpan(first, count), parser, answers);
                if (result.IsSuccess) continue;
                // After an overrun nobody knows what was carried out of these; the next ones are not concerned.
                bool isOverrun = result.Errno == Errno.ENOBUFS;
                ends.AsSpan(first, isOverrun ? count : batch.Count - first).Fill(new(result.Errno, null));
                if (!isOverrun) break;
            }
        }
        // Outside the lock: a description may ask this socket for a name.
        NetlinkException?[] failures = new NetlinkException?[batch.Count];
        for (int i = 0; i < failures.Length; i++) failures[i] = batch.Judge(i, ends[i]);
        return failures;
    }

    private SysResult Exchange<T>(NetlinkBatch batch, int first, int count, Span<NetlinkAcknowledgement> ends, NetlinkParser<T>? parser, T?[]? answers)
        where T : class
    {
        SysResult result = _channel.Discard();
        if (result.IsError) return result;
        Span<byte> datagram = batch.Datagram(first, count);
        uint start = _sequence + 1;
        for (int i = 0; i < count; i++)
        {
            ref nlmsghdr header = ref MemoryMarshal.AsRef<nlmsghdr>(datagram[batch.Offset(first, first + i)..]);
            header.nlmsg_seq = ++_sequence;
            // Errors are told in any case; success only of the last, which so marks the end.
            if (i == count - 1) header.nlmsg_flags |= Libc.NLM_F_ACK;
        }
        result = _channel.Send(datagram);
        if (result.IsError) return result;
        while (true)
        {
            result = Receive(out ReadOnlySpan<byte> answer);
            if (result.IsError) return result;
            NetlinkMessageReader messages = new(answer);
            while (messages.TryRead(out NetlinkMessage message))
            {
                uint index = message.Header.nlmsg_seq - start;
                if (index >= (uint)count) continue;
                if (message.Type == Libc.NLMSG_OVERRUN) return new(-Errno.ENOBUFS);
                if (message.Type == Libc.NLMSG_ERROR)
                {
                    ends[(int)index] = NetlinkAcknowledgement.Read(message);
                    if (index == (uint)count - 1) return new(0);
                }
                else if (parser is not null && parser(message, out T? item))
                {
                    answers![first + (int)index] = item;
                }
            }
            if (messages.IsMalformed) return new(-Errno.EBADMSG);
        }
    }

    private SysResult Receive(out ReadOnlySpan<byte> datagram)
    {
        long deadline = Environment.TickCount64 + (long)_timeout.TotalMilliseconds;
        while (true)
        {
            SysResult received = _channel.TryReceive(out datagram);
            if (received.Errno != Errno.EAGAIN) return received;
            SysResult ready = _channel.Wait((int)Math.Max(0, deadline - Environment.TickCount64));
            if (ready.IsError) return ready;
        }
    }
}
