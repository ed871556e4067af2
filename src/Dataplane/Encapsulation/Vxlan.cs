using System.Buffers.Binary;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Encapsulation;

/// <summary>
/// VXLAN (RFC 7348 section 5): 8 bytes of VXLAN header and 14 of inner Ethernet in front of an IPv4 or IPv6 packet, on
/// Linux's and flannel's port 8472. The addresses are the VTEPs' own, as flannel's static neighbour entries make them.
/// </summary>
internal readonly struct Vxlan : IEncapsulation
{
    /// <summary>The port of the Linux kernel's device and of flannel (IANA's is 4789).</summary>
    internal const int DefaultPort = 8472;

    /// <summary>Largest network identifier: 24 bits.</summary>
    internal const int MaxVni = 0xFFFFFF;

    private const int VxlanHeaderSize = 8;
    private const int EthernetHeaderSize = 14;
    private const int HeaderSize = VxlanHeaderSize + EthernetHeaderSize;
    private const uint VniFlag = 0x0800_0000;
    private const ushort EtherTypeIpv4 = 0x0800;
    private const ushort EtherTypeIpv6 = 0x86DD;

    private readonly uint _vniWord;
    // In memory order, as PeerEntry.Mac: the first byte on the wire in bits 7 to 0.
    private readonly ulong _mac;
    private readonly uint _flagsMask;
    private readonly uint _vniMask;

    /// <summary>Makes the format for one network.</summary>
    /// <param name="vni">0 to <see cref="MaxVni"/>.</param>
    /// <param name="mac">Our VtepMAC.</param>
    /// <param name="ignoreReservedBits">Accept packets with reserved bits set, as the RFC asks; the Linux device refuses them.</param>
    internal Vxlan(int vni, MacAddress mac, bool ignoreReservedBits)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(vni);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vni, MaxVni);
        _vniWord = (uint)vni << 8;
        _mac = mac.InMemory;
        _flagsMask = ignoreReservedBits ? VniFlag : uint.MaxValue;
        _vniMask = ignoreReservedBits ? 0xFF : 0u;
    }

    public int Overhead => HeaderSize;

    public bool DecrementsTtl => false;

    public bool CarriesIpv6 => true;

    public bool HasFixedSourcePort => false;

    public void WriteHeader(Span<byte> headRoom, ulong peerMac, bool ipv6)
    {
        headRoom = headRoom[..HeaderSize];
        BinaryPrimitives.WriteUInt32BigEndian(headRoom, VniFlag);
        BinaryPrimitives.WriteUInt32BigEndian(headRoom[4..], _vniWord);
        BinaryPrimitives.WriteUInt64LittleEndian(headRoom[8..], peerMac | _mac << 48);
        BinaryPrimitives.WriteUInt32LittleEndian(headRoom[16..], (uint)(_mac >> 16));
        BinaryPrimitives.WriteUInt16BigEndian(headRoom[20..], ipv6 ? EtherTypeIpv6 : EtherTypeIpv4);
    }

    public DropReason CheckHeader(ReadOnlySpan<byte> datagram, out int version)
    {
        version = 0;
        if (datagram.Length < HeaderSize) return DropReason.Short;
        if ((BinaryPrimitives.ReadUInt32BigEndian(datagram) & _flagsMask) != VniFlag) return DropReason.BadFlags;
        uint vni = BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]);
        // The byte behind the VNI is reserved too; told apart so that each packet has the reason that fits.
        if (((vni ^ _vniWord) & ~0xFFu) != 0) return DropReason.WrongVni;
        if ((vni & 0xFF & ~_vniMask) != 0) return DropReason.BadFlags;
        ulong destinationMac = BinaryPrimitives.ReadUInt64LittleEndian(datagram[8..]) & 0xFFFF_FFFF_FFFF;
        ulong sourceMac = BinaryPrimitives.ReadUInt64LittleEndian(datagram[12..]) >> 16;
        if (sourceMac == _mac) return DropReason.Loop;
        ushort etherType = BinaryPrimitives.ReadUInt16BigEndian(datagram[20..]);
        // Before the address, so that ARP, LLDP and the like are told apart from frames for another VTEP.
        if (etherType != EtherTypeIpv4 && etherType != EtherTypeIpv6) return DropReason.NotIp;
        if (destinationMac != _mac) return DropReason.WrongMac;
        version = etherType == EtherTypeIpv4 ? 4 : 6;
        return DropReason.None;
    }
}
