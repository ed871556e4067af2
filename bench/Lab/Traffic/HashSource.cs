using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Lab.Traffic;

/// <summary>hash-source: proves that payload arrives as it was sent. Run before anything is timed.</summary>
internal sealed unsafe class HashSource
{
    internal static AgentResult Run(AgentContext context)
    {
        AgentArguments arguments = context.Arguments;
        IPEndPoint remote = arguments.EndPoint("--to");
        long bytes = arguments.Integer("--bytes", 1, 1L << 40);
        bool udp = arguments.Either("--udp", "--tcp");
        arguments.Switch(udp ? "--udp" : "--tcp");
        bool segment = udp && arguments.Switch("--segment");
        int size = (int)arguments.Integer("--size", ProbeHeader.Size + 1, ProbeHeader.MaxDatagram, 1372);
        long limit = arguments.Seconds("--seconds", 60);
        arguments.Finish();
        ulong seed = UdpExchange.NewSender();
        long started = Clock.Now, deadline = started + limit;
        HashSourceResult result = udp ? OverUdp(remote, new HashPlan(seed, bytes, size - ProbeHeader.Size), segment, deadline) : OverTcp(remote, seed, bytes, deadline);
        return result with { Seconds = (Clock.Now - started) / (double)Clock.Second };
    }

    private static HashSourceResult OverTcp(IPEndPoint remote, ulong seed, long total, long deadline)
    {
        using LabSocket socket = LabSocket.ConnectTcp(remote, null, Clock.Now + Clock.Grace);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[TcpStream.BlockSize];
        BinaryPrimitives.WriteUInt64BigEndian(block, HashTcpSink.Magic);
        BinaryPrimitives.WriteInt64BigEndian(block.AsSpan(8), total);
        socket.SendAll(block.AsSpan(0, HashTcpSink.HeadSize), Progress(deadline));
        long sent = 0;
        for (ulong piece = 0; sent < total; piece++)
        {
            // Writes of many sizes, so that segments end everywhere.
            int length = (int)Math.Min(total - sent, 1 + (long)(piece * 7919 % (ulong)block.Length));
            Span<byte> payload = block.AsSpan(0, length);
            PayloadGenerator.Fill(seed, piece, payload);
            hash.AppendData(payload);
            socket.SendAll(payload, Progress(deadline));
            sent += length;
            if (Clock.Now > deadline) throw new AgentException($"only {sent} of {total} bytes were sent in time");
        }
        byte[] received = new byte[32];
        socket.ReceiveAll(received, Progress(deadline));
        byte[] own = hash.GetHashAndReset();
        return Result("tcp", total, own, received);
    }

    private static HashSourceResult OverUdp(IPEndPoint remote, HashPlan plan, bool segment, long deadline)
    {
        using LabSocket socket = LabSocket.ConnectUdp(remote);
        int size = ProbeHeader.Size + plan.MaxPayload, together = segment ? Math.Max(1, Math.Min(HashPlan.Run, ProbeHeader.MaxDatagram / size)) : 1;
        if (segment) socket.CutDatagrams(size);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] datagrams = new byte[together * size];
        HashAnswer answer;
        ulong hello = ((ulong)plan.Total << 16) | (uint)plan.MaxPayload;
        UdpExchange.Ask(socket, ProbeHeader.Create(ProbeKind.Hello, plan.Seed, hello), &answer, sizeof(HashAnswer), Progress(deadline));
        long hashed = 0, repeated = 0;
        ulong start = 0;
        for (; hashed < plan.Total; start += HashPlan.Window)
        {
            int count = 0;
            for (; count < HashPlan.Window && hashed < plan.Total; count++)
            {
                Span<byte> payload = datagrams.AsSpan(ProbeHeader.Size, plan.Length(start + (ulong)count));
                PayloadGenerator.Fill(plan.Seed, start + (ulong)count, payload);
                int used = (int)Math.Min(payload.Length, plan.Total - hashed);
                hash.AppendData(payload[..used]);
                hashed += used;
            }
            repeated += SendWindow(socket, plan, datagrams, start, count, deadline);
        }
        UdpExchange.Ask(socket, ProbeHeader.Create(ProbeKind.HashDigest, plan.Seed, start), &answer, sizeof(HashAnswer), Progress(deadline));
        byte[] own = hash.GetHashAndReset();
        return Result("udp", plan.Total, own, new ReadOnlySpan<byte>(answer.Digest, 32)) with
        {
            Corrupt = answer.Corrupt,
            Repeated = repeated,
            Intact = answer.Corrupt == 0 && answer.Bytes == plan.Total && own.AsSpan().SequenceEqual(new ReadOnlySpan<byte>(answer.Digest, 32)),
        };
    }

    // Returns how many datagrams had to be sent again. What is corrupt every time never gets through: the rounds are bounded.
    private static long SendWindow(LabSocket socket, HashPlan plan, byte[] datagrams, ulong start, int count, long deadline)
    {
        const int MaxRounds = 50;
        ulong all = (1UL << count) - 1, arrived = 0;
        int together = datagrams.Length / (ProbeHeader.Size + plan.MaxPayload);
        long repeated = 0;
        HashAnswer answer = default;
        for (int round = 0; round < MaxRounds; round++)
        {
            for (int i = 0; i < count;)
            {
                // Only what may stand together in one send: equal ones, and a last one that may be shorter.
                int next = i;
                do next++;
                while (next < count && next - i < together && plan.Length(start + (ulong)next - 1) == plan.MaxPayload);
                ulong run = (1UL << next) - (1UL << i);
                if ((arrived & run) != run)
                {
                    Send(socket, plan, datagrams, start + (ulong)i, next - i);
                    if (round > 0) repeated += next - i;
                }
                i = next;
            }
            UdpExchange.Ask(socket, ProbeHeader.Create(ProbeKind.HashQuery, plan.Seed, start), &answer, sizeof(HashAnswer), Progress(deadline));
            arrived = answer.Arrived & all;
            if (arrived == all) return repeated;
        }
        throw new AgentException($"datagrams {start} to {start + (ulong)count - 1} did not arrive intact in {MaxRounds} attempts ({answer.Corrupt} arrived corrupt)");
    }

    /// <summary>Datagrams one behind the other in one send; the kernel cuts them where UDP_SEGMENT is set.</summary>
    private static void Send(LabSocket socket, HashPlan plan, byte[] datagrams, ulong first, int count)
    {
        int length = 0;
        fixed (byte* bytes = datagrams)
        {
            for (ulong sequence = first; sequence < first + (ulong)count; sequence++)
            {
                *(ProbeHeader*)(bytes + length) = ProbeHeader.Create(ProbeKind.HashData, plan.Seed, sequence);
                PayloadGenerator.Fill(plan.Seed, sequence, datagrams.AsSpan(length + ProbeHeader.Size, plan.Length(sequence)));
                length += ProbeHeader.Size + plan.Length(sequence);
            }
            SysResult sent = socket.Send(bytes, length);
            if (sent.IsError && !LabSocket.IsTransient(sent.Errno)) throw LabSocket.Failure($"send {length} bytes", sent);
        }
    }

    // A peer that stopped is given up after five seconds, a slow one at the deadline.
    private static long Progress(long deadline) => Math.Min(deadline, Clock.Now + Clock.Grace);

    private static HashSourceResult Result(string protocol, long bytes, ReadOnlySpan<byte> own, ReadOnlySpan<byte> received) => new()
    {
        Role = "hash-source",
        Protocol = protocol,
        Bytes = bytes,
        Intact = own.SequenceEqual(received),
        Sent = Convert.ToHexStringLower(own),
        Received = Convert.ToHexStringLower(received),
    };
}
