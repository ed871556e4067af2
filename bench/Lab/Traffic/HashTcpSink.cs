using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FlannelFast.Lab.Traffic;

/// <summary>The TCP half of hash-sink: one run after the other. Says how much comes, then the payload; answers with its SHA-256.</summary>
internal sealed class HashTcpSink(LabSocket listener)
{
    /// <summary>Bytes of the head: magic and length.</summary>
    internal const int HeadSize = 16;

    /// <summary>"FFLTHASH".</summary>
    internal const ulong Magic = 0x46464c5448415348;

    private readonly byte[] _block = new byte[TcpStream.BlockSize];

    internal long Runs { get; private set; }

    internal long Bytes { get; private set; }

    internal void Serve(StopSignal stop)
    {
        while (!stop.IsSet)
        {
            using LabSocket? connection = listener.Accept();
            if (connection is null) continue;
            try
            {
                Check(connection, stop);
            }
            catch (Exception error) when (error is AgentException or IOException)
            {
                // The source sees the broken connection and reports it; the sink stays for the next run.
            }
        }
    }

    private void Check(LabSocket connection, StopSignal stop)
    {
        connection.ReceiveAll(_block.AsSpan(0, HeadSize), Clock.Now + Clock.Grace);
        long left = BinaryPrimitives.ReadInt64BigEndian(_block.AsSpan(8));
        if (BinaryPrimitives.ReadUInt64BigEndian(_block) != Magic || left < 0) return;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (left > 0 && !stop.IsSet)
        {
            int piece = (int)Math.Min(left, _block.Length);
            connection.ReceiveAll(_block.AsSpan(0, piece), Clock.Now + Clock.Grace);
            hash.AppendData(_block, 0, piece);
            left -= piece;
            Bytes += piece;
        }
        if (left > 0) return;
        connection.SendAll(hash.GetHashAndReset(), Clock.Now + Clock.Grace);
        Runs++;
    }
}
