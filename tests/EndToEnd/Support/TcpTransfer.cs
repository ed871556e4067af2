using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace FlannelFast.EndToEnd.Support;

/// <summary>Sends pseudo-random bytes over one TCP connection and compares what arrived with what was sent, by SHA-256.</summary>
internal static class TcpTransfer
{
    private const int Port = 7001;
    private const int ChunkSize = 1 << 18;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    /// <summary>Sends and compares.</summary>
    /// <param name="from">Where the client runs.</param>
    /// <param name="to">Where the server listens.</param>
    /// <param name="address">Address the client connects to.</param>
    /// <param name="bytes">How much.</param>
    /// <param name="seed">Of the pseudo-random bytes; printed by xunit as part of the test's name or fixed by the caller.</param>
    public static void MustArriveIntact(Netns from, Netns to, string address, long bytes, int seed = 1)
    {
        IPAddress server = IPAddress.Parse(address);
        using Socket listener = to.Within(() => new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(server, Port));
        listener.Listen();
        using Socket client = from.Within(() => new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        // cubic: the default may be BBR, whose pacing hides bursts and with them most super-packets.
        client.SetRawSocketOption(6, 13, "cubic"u8);

        Task<(long Bytes, string Hash)> receiving = Task.Run(() => Receive(listener));
        Task<string> sending = Task.Run(() => Send(client, server, bytes, seed));
        if (!Task.WaitAll([receiving, sending], s_limit))
            throw new TimeoutException($"{bytes} bytes to {address} did not get through within {s_limit}");

        Assert.Equal((bytes, sending.Result), receiving.Result);
    }

    private static string Send(Socket client, IPAddress server, long bytes, int seed)
    {
        client.Connect(server, Port);
        var random = new Random(seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkSize];
        for (long left = bytes; left > 0;)
        {
            // Odd lengths: segments end anywhere, tails are short, and both checksum parities occur.
            Span<byte> part = chunk.AsSpan(0, (int)Math.Min(left, random.Next(1, ChunkSize + 1)));
            random.NextBytes(part);
            hash.AppendData(part);
            for (ReadOnlySpan<byte> rest = part; rest.Length > 0;) rest = rest[client.Send(rest)..];
            left -= part.Length;
        }
        client.Shutdown(SocketShutdown.Send);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static (long Bytes, string Hash) Receive(Socket listener)
    {
        using Socket connection = listener.Accept();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkSize];
        long bytes = 0;
        for (int received; (received = connection.Receive(chunk)) > 0; bytes += received) hash.AppendData(chunk.AsSpan(0, received));
        return (bytes, Convert.ToHexString(hash.GetHashAndReset()));
    }
}
