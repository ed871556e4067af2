using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// The VtepMAC of a host that was given none. It follows from the underlay address alone, so that the peers' configuration
/// can be written before the host has ever run, and it stays the same over restarts (changing VtepMACs are a known
/// source of black holes: flannel issues 533, 1036, 1330).
/// </summary>
internal static class VtepMac
{
    private const int Prefix = 0x02ff;

    /// <summary>
    /// IPv4: 02:ff and the four bytes of the address, 192.0.2.1 → 02:ff:c0:00:02:01. IPv6: 02:ff and the first four bytes of
    /// the SHA-256 of the 16 address bytes. 02 marks a unicast, locally administered address (IEEE 802-2014, 8.4).
    /// </summary>
    internal static MacAddress Derive(IPAddress local)
    {
        byte[] bytes = local.GetAddressBytes();
        ReadOnlySpan<byte> tail = local.AddressFamily == AddressFamily.InterNetwork ? bytes : SHA256.HashData(bytes);
        return MacAddress.Read([Prefix >> 8, Prefix & 0xff, tail[0], tail[1], tail[2], tail[3]]);
    }
}
