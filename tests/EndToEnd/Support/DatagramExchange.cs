using System.Buffers.Binary;

namespace FlannelFast.EndToEnd.Support;

/// <summary>UDP through the overlay, compared byte by byte.</summary>
internal static class DatagramExchange
{
    private const int Port = 7002;

    /// <summary>Sends one datagram of every size from 1 to 1400 bytes, each after the one before arrived.</summary>
    public static void EverySizeMustArriveIntact(TwoNodes nodes, int from, int to)
    {
        using var sender = new UdpSocket(nodes.Node(from), "0.0.0.0", Port);
        using var receiver = new UdpSocket(nodes.Node(to), "0.0.0.0", Port);
        for (int size = 1; size <= 1400; size++)
        {
            byte[] payload = Pattern(size, seed: size);
            sender.Send(payload, TwoNodes.OverlayAddress(to), Port);
            receiver.MustReceive(payload, $"a datagram of {size} bytes");
        }
    }

    /// <summary>Sends datagrams in super-packets (UDP_SEGMENT), with full, short and no tails; each must come out alone and intact.</summary>
    public static void SuperPacketsMustArriveIntact(TwoNodes nodes, int from, int to)
    {
        using var sender = new UdpSocket(nodes.Node(from), "0.0.0.0", Port);
        using var receiver = new UdpSocket(nodes.Node(to), "0.0.0.0", Port);
        foreach ((int size, int total) in ((int, int)[])[(1400, 40 * 1400), (1400, 40 * 1400 + 1), (1000, 2 * 1000 + 999), (37, 60 * 37), (500, 300)])
        {
            byte[] payload = Pattern(total, seed: total);
            sender.SendSegmented(payload, size, TwoNodes.OverlayAddress(to), Port);
            for (int offset = 0; offset < total; offset += size)
            {
                ReadOnlySpan<byte> expected = payload.AsSpan(offset, Math.Min(size, total - offset));
                receiver.MustReceive(expected, $"{total} bytes in segments of {size}: the one at {offset}");
            }
        }
    }

    /// <summary>Sends numbered datagrams as fast as it goes; some may be lost, none may overtake another.</summary>
    public static void OrderMustHold(TwoNodes nodes, int from, int to)
    {
        const int Count = 50_000;
        using var sender = new UdpSocket(nodes.Node(from), "0.0.0.0", Port);
        using var receiver = new UdpSocket(nodes.Node(to), "0.0.0.0", Port);
        Task sending = Task.Run(() => SendNumbered(sender, TwoNodes.OverlayAddress(to), Count));
        int last = 0, received = 0;
        for (; last < Count; received++)
        {
            int number = BinaryPrimitives.ReadInt32LittleEndian(receiver.Receive());
            Assert.True(number > last, $"datagram {number} came after {last}");
            last = number;
        }
        sending.Wait();
        Assert.True(received > Count / 10, $"only {received} of {Count} arrived");
    }

    private static void SendNumbered(UdpSocket sender, string address, int count)
    {
        byte[] payload = new byte[1000];
        for (int i = 1; i <= count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(payload, i);
            // Sizes change, so that runs and merges begin and end everywhere. The last ones are sent slowly: they arrive.
            sender.Send(payload.AsSpan(0, i % 3 == 0 ? payload.Length : 4 + i % 997), address, Port);
            if (i > count - 10) Thread.Sleep(20);
        }
    }

    private static byte[] Pattern(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
