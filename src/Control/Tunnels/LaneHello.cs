using System.Buffers.Binary;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// What hosts tell each other of their express lanes: one UDP datagram inside the tunnel, between the addresses of the two TUN devices, from the tunnel's port to the same.
/// 24 bytes, numbers in network order: "FFL1", 32 bits of flags (1: the sender's lane is open; 2: an answer is wanted), and two numbers by which each side sees that
/// the other is there and hears it, as BFD's discriminators (RFC 5880 section 6.3).
/// </summary>
/// <param name="IsOpen">The sender's lane takes packets from the receiver.</param>
/// <param name="WantsAnswer">An answer is wanted.</param>
/// <param name="Yours">The number that the sender last heard from the receiver; 0 before the first.</param>
/// <param name="Mine">The sender's number for the receiver; never 0.</param>
internal readonly record struct LaneHello(bool IsOpen, bool WantsAnswer, ulong Yours, ulong Mine)
{
    /// <summary>Bytes.</summary>
    internal const int Size = 24;

    private const uint Magic = 0x46464C31, OpenFlag = 1, WantsAnswerFlag = 2;

    /// <summary>Reads a datagram; what follows the first <see cref="Size"/> bytes, and other flags, are left to later versions.</summary>
    /// <returns>False if it is none.</returns>
    internal static bool TryRead(ReadOnlySpan<byte> datagram, out LaneHello hello)
    {
        hello = default;
        if (datagram.Length < Size || BinaryPrimitives.ReadUInt32BigEndian(datagram) != Magic) return false;
        uint flags = BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]);
        hello = new((flags & OpenFlag) != 0, (flags & WantsAnswerFlag) != 0, BinaryPrimitives.ReadUInt64BigEndian(datagram[8..]), BinaryPrimitives.ReadUInt64BigEndian(datagram[16..]));
        return hello.Mine != 0;
    }

    /// <summary>Writes it to the first <see cref="Size"/> bytes of <paramref name="datagram"/>.</summary>
    internal void Write(Span<byte> datagram)
    {
        BinaryPrimitives.WriteUInt32BigEndian(datagram, Magic);
        BinaryPrimitives.WriteUInt32BigEndian(datagram[4..], (IsOpen ? OpenFlag : 0) | (WantsAnswer ? WantsAnswerFlag : 0));
        BinaryPrimitives.WriteUInt64BigEndian(datagram[8..], Yours);
        BinaryPrimitives.WriteUInt64BigEndian(datagram[16..], Mine);
    }
}
