using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Hostile;

/// <summary>What must not get in does not, and is counted under its own name.</summary>
public sealed class HostileDatagramTests
{
    [Fact]
    public void Inner_packets_over_udp()
    {
        using var attack = new Attack("udp");
        AssertInner(attack, packet => packet);
        // The udp encapsulation takes one off on arrival, so 1 is already used up.
        attack.MustBeDropped("ttl", new InnerPacket { Ttl = 1 }.ToArray());
        attack.MustBeDropped("short", []);
    }

    [Fact]
    public void Inner_packets_over_vxlan()
    {
        using var attack = new Attack("vxlan");
        AssertInner(attack, packet => new VxlanFrame { Payload = packet }.ToArray());
    }

    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void A_stranger(string encap)
    {
        using var attack = new Attack(encap);
        byte[] good = Encapsulate(encap, new InnerPacket().ToArray());
        attack.MustBeDelivered(good);
        attack.MustBeDropped("unknown_peer", good, Attack.Stranger);
        // Whatever a stranger sends, that he is one is all that is looked at.
        attack.MustBeDropped("unknown_peer", Encapsulate(encap, new InnerPacket { Version = 0 }.ToArray()), Attack.Stranger);
    }

    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void A_peer_that_uses_the_subnet_of_another(string encap)
    {
        using var attack = new Attack(encap);
        attack.MustBeDelivered(Encapsulate(encap, new InnerPacket { Source = "10.5.3.1" }.ToArray(), mac: 3), Attack.OtherPeer);
        attack.MustBeDropped("spoof_src", Encapsulate(encap, new InnerPacket { Source = "10.5.2.1" }.ToArray(), mac: 3), Attack.OtherPeer);
    }

    [Fact]
    public void A_peer_that_sends_from_another_port_over_udp()
    {
        byte[] good = new InnerPacket().ToArray();
        using (var attack = new Attack("udp")) attack.MustBeDropped("wrong_port", good, sourcePort: 9999);
        using (var relaxed = new Attack("udp", "--no-source-port-check")) relaxed.MustBeDelivered(good, sourcePort: 9999);
        // With VXLAN the source port is entropy (RFC 7348 section 5).
        using (var vxlan = new Attack("vxlan")) vxlan.MustBeDelivered(Encapsulate("vxlan", good), sourcePort: 9999);
    }

    [Fact]
    public void Vxlan_headers_and_frames()
    {
        using var attack = new Attack("vxlan");
        attack.MustBeDelivered(new VxlanFrame().ToArray());
        attack.MustBeDropped("short", []);
        attack.MustBeDropped("short", new VxlanFrame().ToArray()[..7]);
        attack.MustBeDropped("short", new VxlanFrame().ToArray()[..21]);
        attack.MustBeDropped("bad_flags", new VxlanFrame { Flags = 0 }.ToArray());
        foreach (uint reserved in (uint[])[0x0000_0001, 0x0080_0000, 0x8000_0000, 0x0400_0000])
            attack.MustBeDropped("bad_flags", new VxlanFrame { Flags = 0x0800_0000 | reserved }.ToArray());
        foreach (uint vni in (uint[])[0, 2, 0xFF_FFFF]) attack.MustBeDropped("wrong_vni", new VxlanFrame { Vni = vni }.ToArray());
        attack.MustBeDropped("wrong_mac", new VxlanFrame { DestinationMac = "02:00:00:00:00:77" }.ToArray());
        attack.MustBeDropped("loop", new VxlanFrame { SourceMac = TwoNodes.VtepMac(1) }.ToArray());
        foreach (ushort type in (ushort[])[0x0806, 0x88CC, 0x8100, 0x0000]) attack.MustBeDropped("not_ip", new VxlanFrame { EtherType = type }.ToArray());
        attack.MustBeDropped("bad_version", new VxlanFrame { EtherType = 0x86DD }.ToArray());
        attack.MustBeDropped("wrong_mac|not_ip", new VxlanFrame { DestinationMac = "ff:ff:ff:ff:ff:ff", EtherType = 0x0806 }.ToArray());
    }

    [Fact]
    public void Reserved_bits_pass_when_asked_to()
    {
        using var attack = new Attack("vxlan", "--ignore-reserved-bits");
        attack.MustBeDelivered(new VxlanFrame { Flags = 0x0880_0001 }.ToArray());
        attack.MustBeDropped("bad_flags", new VxlanFrame { Flags = 0 }.ToArray());
    }

    [Theory]
    [InlineData("peer", true, false)]
    [InlineData("off", true, true)]
    public void Source_checks_can_be_relaxed_step_by_step(string check, bool foreignSource, bool stranger)
    {
        using var attack = new Attack("udp", "--source-check", check);
        byte[] packet = new InnerPacket { Source = "10.5.3.1" }.ToArray();
        if (foreignSource) attack.MustBeDelivered(packet);
        if (stranger) attack.MustBeDelivered(packet, Attack.Stranger);
        else attack.MustBeDropped("unknown_peer", packet, Attack.Stranger);
        attack.MustBeDropped("reflect", new InnerPacket { Source = "10.5.1.7" }.ToArray());
        attack.MustBeDropped("not_for_us", new InnerPacket { Destination = "8.8.8.8" }.ToArray());
    }

    /// <summary>No length and no content kills it or unbalances its books.</summary>
    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void Random_datagrams_of_every_length(string encap)
    {
        using var attack = new Attack(encap);
        attack.SendRandom(count: 20_000, seed: 7);
        Eventually.True(() => attack.Daemon.Status().Ingress.Packets >= 15_000, TimeSpan.FromSeconds(5), () => $"{attack.Daemon.Status().Ingress}");
        attack.Daemon.Status().AssertEveryPacketAccountedFor();
        attack.MustBeDelivered(Encapsulate(encap, new InnerPacket().ToArray()));
    }

    private static void AssertInner(Attack attack, Func<byte[], byte[]> encapsulate)
    {
        foreach ((_, byte[] packet) in InnerPackets.Good()) attack.MustBeDelivered(encapsulate(packet));
        foreach ((_, string reason, byte[] packet) in InnerPackets.Bad()) attack.MustBeDropped(reason, encapsulate(packet));
    }

    private static byte[] Encapsulate(string encap, byte[] packet, int mac = 2) =>
        encap == "udp" ? packet : new VxlanFrame { SourceMac = TwoNodes.VtepMac(mac), Payload = packet }.ToArray();
}
