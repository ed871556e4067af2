using System.Buffers.Binary;

namespace FlannelFast.EndToEnd.Support;

/// <summary>A VXLAN header and an inner Ethernet frame from node 2 to node 1, in which every field can be made wrong.</summary>
internal sealed record VxlanFrame
{
    /// <summary>First word: 0x08 in the first byte says that the VNI is valid; every other bit is reserved (RFC 7348 section 5).</summary>
    public uint Flags { get; init; } = 0x0800_0000;

    /// <summary>Network identifier.</summary>
    public uint Vni { get; init; } = 1;

    /// <summary>Inner destination MAC.</summary>
    public string DestinationMac { get; init; } = TwoNodes.VtepMac(1);

    /// <summary>Inner source MAC.</summary>
    public string SourceMac { get; init; } = TwoNodes.VtepMac(2);

    /// <summary>EtherType.</summary>
    public ushort EtherType { get; init; } = 0x0800;

    /// <summary>What follows the Ethernet header.</summary>
    public byte[] Payload { get; init; } = new InnerPacket().ToArray();

    /// <summary>The bytes.</summary>
    public byte[] ToArray()
    {
        byte[] frame = new byte[22 + Payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, Flags);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), Vni << 8);
        Mac(DestinationMac).CopyTo(frame, 8);
        Mac(SourceMac).CopyTo(frame, 14);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(20), EtherType);
        Payload.CopyTo(frame, 22);
        return frame;
    }

    private static byte[] Mac(string text) => Convert.FromHexString(text.Replace(":", "", StringComparison.Ordinal));
}
