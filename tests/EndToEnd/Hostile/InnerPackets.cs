using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Hostile;

/// <summary>Inner IPv4 packets that must not get through, each with the name it is counted under, whatever the encapsulation.</summary>
internal static class InnerPackets
{
    /// <summary>What was wrong, the drop reason, and the packet.</summary>
    public static IEnumerable<(string What, string Reason, byte[] Packet)> Bad()
    {
        yield return ("19 bytes", "short|bad_len", new InnerPacket().ToArray()[..19]);
        yield return ("version 0", "bad_version", new InnerPacket { Version = 0 }.ToArray());
        yield return ("version 5", "bad_version", new InnerPacket { Version = 5 }.ToArray());
        yield return ("version 6", "bad_version", new InnerPacket { Version = 6 }.ToArray());
        yield return ("header of 0 words", "bad_ihl", new InnerPacket { HeaderWords = 0 }.ToArray());
        yield return ("header of 4 words", "bad_ihl", new InnerPacket { HeaderWords = 4 }.ToArray());
        yield return ("header beyond the packet", "bad_ihl|bad_len", new InnerPacket { HeaderWords = 15 }.ToArray());
        yield return ("total length 0", "bad_len", new InnerPacket { TotalLength = 0 }.ToArray());
        yield return ("total length below the header", "bad_len", new InnerPacket { TotalLength = 19 }.ToArray());
        yield return ("total length beyond the datagram", "bad_len", new InnerPacket { TotalLength = 45 }.ToArray());
        yield return ("total length 65535", "bad_len", new InnerPacket { TotalLength = 65535 }.ToArray());
        yield return ("header checksum wrong by one bit", "bad_csum", new InnerPacket { ChecksumError = 0x0001 }.ToArray());
        yield return ("time to live 0", "ttl", new InnerPacket { Ttl = 0 }.ToArray());
        yield return ("source in another peer's subnet", "spoof_src", new InnerPacket { Source = "10.5.3.1" }.ToArray());
        yield return ("source outside the network", "spoof_src", new InnerPacket { Source = "198.51.100.1" }.ToArray());
        yield return ("our own subnet as source", "reflect", new InnerPacket { Source = "10.5.1.7" }.ToArray());
        yield return ("loopback source", "bad_src", new InnerPacket { Source = "127.0.0.1" }.ToArray());
        yield return ("multicast source", "bad_src", new InnerPacket { Source = "224.0.0.5" }.ToArray());
        yield return ("broadcast source", "bad_src", new InnerPacket { Source = "255.255.255.255" }.ToArray());
        yield return ("source 0.0.0.0", "bad_src", new InnerPacket { Source = "0.0.0.0" }.ToArray());
        yield return ("destination elsewhere: an open relay", "not_for_us", new InnerPacket { Destination = "8.8.8.8" }.ToArray());
        yield return ("destination in another peer's subnet", "not_for_us", new InnerPacket { Destination = "10.5.3.1" }.ToArray());
        yield return ("destination our underlay address", "not_for_us|bad_dst", new InnerPacket { Destination = "192.0.2.1" }.ToArray());
        yield return ("loopback destination", "bad_dst", new InnerPacket { Destination = "127.0.0.1" }.ToArray());
        yield return ("link-local destination", "bad_dst", new InnerPacket { Destination = "169.254.169.254" }.ToArray());
        yield return ("multicast destination", "bad_dst", new InnerPacket { Destination = "224.0.0.1" }.ToArray());
        yield return ("broadcast destination", "bad_dst", new InnerPacket { Destination = "255.255.255.255" }.ToArray());
        yield return ("reserved destination", "bad_dst", new InnerPacket { Destination = "240.0.0.1" }.ToArray());
        // RFC 791: loose source route, length 7, pointer 4, one address, end of options.
        yield return ("loose source route", "srcroute", new InnerPacket { Options = [131, 7, 4, 10, 5, 1, 1, 0] }.ToArray());
        yield return ("strict source route", "srcroute", new InnerPacket { Options = [137, 7, 4, 10, 5, 1, 1, 0] }.ToArray());
        yield return ("option of length 0", "bad_options", new InnerPacket { Options = [7, 0, 0, 0] }.ToArray());
        yield return ("option beyond the header", "bad_options", new InnerPacket { Options = [7, 40, 4, 0] }.ToArray());
        yield return ("fragment that ends beyond 65535", "frag_overflow", new InnerPacket { Fragment = 0x1FFF }.ToArray());
    }

    /// <summary>Packets that look odd and are right.</summary>
    public static IEnumerable<(string What, byte[] Packet)> Good()
    {
        yield return ("an ordinary packet", new InnerPacket().ToArray());
        yield return ("no payload", new InnerPacket { PayloadLength = 0 }.ToArray());
        yield return ("trailing bytes, to be cut off", new InnerPacket { Trailer = 18 }.ToArray());
        yield return ("no-operation options", new InnerPacket { Options = [1, 1, 1, 0] }.ToArray());
        yield return ("a first fragment", new InnerPacket { Fragment = 0x2000 }.ToArray());
        yield return ("the peer's own node address as source", new InnerPacket { Source = "10.5.2.0" }.ToArray());
        yield return ("another address of ours", new InnerPacket { Destination = "10.5.1.200" }.ToArray());
        yield return ("time to live 2", new InnerPacket { Ttl = 2 }.ToArray());
    }
}
