using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// The program at the TUN device's way out: puts the outer headers around a packet for a peer, super-packets whole (the kernel cuts them where the underlay's card does not:
/// skb_udp_tunnel_segment), and sends it on the underlay. The outer UDP checksum is 0 (RFC 768, RFC 7348 section 5), which is also how the other end's lane tells
/// packets of a lane from those of an engine: what one engine sends takes one way, in order.
/// </summary>
internal static class EgressProgram
{
    private const int MaxPacket = 65535;

    /// <summary>
    /// Inner bytes of the largest packet that is no super-packet: the kernel refuses to make room in front of more than some 16,000 (net/core/filter.c, BPF_SKB_MAX_LEN), and not
    /// in the first step for a packet that the second makes too long. Less than on any page size and number of fragments.
    /// </summary>
    private const int MaxSingle = 15_000;

    private const int TimeToLive = 64;

    internal static ulong[] Write(LaneFacts facts)
    {
        var code = new BpfAssembler();
        var lane = new LaneCode(code, facts);
        lane.Begin();
        lane.Copy(0, LaneCode.Inner, Ipv4.MinHeaderLength);
        CheckInner(code, lane, facts);
        lane.LeaveSuperFlows(0);
        lane.FindPeer(LaneCode.Inner + 16);
        WriteOuter(code, lane, facts);
        Send(code, lane, facts);
        lane.End(LaneDirection.Egress);
        return code.Build();
    }

    private static void CheckInner(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        lane.CheckPlainHeader(LaneCode.Inner);
        code.Load(Libc.BPF_B, BpfRegister.R1, BpfRegister.Frame, LaneCode.Inner + 8);
        code.JumpIf(Libc.BPF_JLT, BpfRegister.R1, facts.LeastTtl, lane.Next);
        if (!facts.Road.Tcp)
        {
            code.Load(Libc.BPF_B, BpfRegister.R1, BpfRegister.Frame, LaneCode.Inner + 9);
            code.JumpIf(Libc.BPF_JEQ, BpfRegister.R1, IpProtocol.Tcp, lane.Next);
        }
        lane.ExpectLocal(LaneCode.Inner + 12);
        code.Load(Libc.BPF_H, BpfRegister.R8, BpfRegister.Frame, LaneCode.Inner + 2);
        code.SwapNetwork16(BpfRegister.R8);
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, Libc.SkBuffLength);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, BpfRegister.R8, lane.Next);
        lane.CountSegments(0);
        var fits = new BpfLabel();
        code.JumpIf(Libc.BPF_JLE, BpfRegister.R8, MaxSingle, fits);
        code.JumpIf(Libc.BPF_JEQ, BpfRegister.R9, 1, lane.Next);
        code.Mark(fits);
        // ip_fragment is not on this way, so what does not fit would be lost.
        code.Alu(Libc.BPF_ADD, BpfRegister.R2, facts.Overhead);
        code.JumpIf(Libc.BPF_JGT, BpfRegister.R2, Math.Min(facts.Road.UnderlayMtu, MaxPacket), lane.Next);
        code.JumpIf(Libc.BPF_JGT, BpfRegister.R8, MaxPacket - facts.Overhead, lane.Next);
    }

    private static void WriteOuter(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        const int ip = LaneCode.Outer, udp = ip + Ipv4.MinHeaderLength;
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R7, LaneMaps.PeerAddress);
        code.JumpIf(Libc.BPF_JEQ, BpfRegister.R1, 0, lane.Next);
        code.Load(Libc.BPF_H, BpfRegister.R2, BpfRegister.R7, LaneMaps.PeerIsOpen);
        code.JumpIf(Libc.BPF_JEQ, BpfRegister.R2, 0, lane.Next);
        code.Store(Libc.BPF_W, BpfRegister.Frame, ip + 16, BpfRegister.R1);
        code.Store(Libc.BPF_W, BpfRegister.Frame, ip + 12, (int)LaneCode.Network32(facts.LocalAddress));
        code.Store(Libc.BPF_H, BpfRegister.Frame, ip, 0x45);
        StoreLength(code, ip + 2, facts.Overhead);
        code.Call(Libc.BPF_FUNC_get_prandom_u32);
        code.Store(Libc.BPF_H, BpfRegister.Frame, ip + 4, BpfRegister.R0);
        code.Store(Libc.BPF_H, BpfRegister.Frame, ip + 6, 0);
        code.Store(Libc.BPF_B, BpfRegister.Frame, ip + 8, TimeToLive);
        code.Store(Libc.BPF_B, BpfRegister.Frame, ip + 9, IpProtocol.Udp);
        code.Store(Libc.BPF_H, BpfRegister.Frame, ip + 10, 0);
        lane.SumHeader(ip);
        code.Alu(Libc.BPF_XOR, BpfRegister.R1, 0xFFFF);
        code.Store(Libc.BPF_H, BpfRegister.Frame, ip + 10, BpfRegister.R1);

        if (facts.IsVxlan && facts.SpreadsSourcePorts) StoreSourcePort(code, udp);
        else code.Store(Libc.BPF_H, BpfRegister.Frame, udp, LaneCode.Network16((ushort)facts.Port));
        code.Store(Libc.BPF_H, BpfRegister.Frame, udp + 2, LaneCode.Network16((ushort)facts.Port));
        StoreLength(code, udp + 4, facts.Overhead - Ipv4.MinHeaderLength);
        code.Store(Libc.BPF_H, BpfRegister.Frame, udp + 6, 0);
        if (facts.IsVxlan) WriteVxlan(code, facts);
    }

    /// <summary>The dynamic range of RFC 7348 section 5, by the flow: any port will do for a receiver.</summary>
    private static void StoreSourcePort(BpfAssembler code, int place)
    {
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.Call(Libc.BPF_FUNC_get_hash_recalc);
        code.Alu(Libc.BPF_AND, BpfRegister.R0, 0x3FFF);
        code.Alu(Libc.BPF_OR, BpfRegister.R0, 0xC000);
        code.SwapNetwork16(BpfRegister.R0);
        code.Store(Libc.BPF_H, BpfRegister.Frame, place, BpfRegister.R0);
    }

    private static void WriteVxlan(BpfAssembler code, LaneFacts facts)
    {
        const int vxlan = LaneCode.Outer + LaneCode.VxlanHeader, ethernet = vxlan + 8;
        code.Store(Libc.BPF_W, BpfRegister.Frame, vxlan, (int)LaneCode.Network32(0x0800_0000));
        code.Store(Libc.BPF_W, BpfRegister.Frame, vxlan + 4, (int)LaneCode.Network32((uint)facts.Vni << 8));
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R7, LaneMaps.PeerMac);
        code.Store(Libc.BPF_W, BpfRegister.Frame, ethernet, BpfRegister.R1);
        code.Load(Libc.BPF_H, BpfRegister.R1, BpfRegister.R7, LaneMaps.PeerMac + 4);
        code.Store(Libc.BPF_H, BpfRegister.Frame, ethernet + 4, BpfRegister.R1);
        code.Store(Libc.BPF_H, BpfRegister.Frame, ethernet + 6, (ushort)facts.Mac);
        code.Store(Libc.BPF_W, BpfRegister.Frame, ethernet + 8, (int)(uint)(facts.Mac >> 16));
        code.Store(Libc.BPF_H, BpfRegister.Frame, ethernet + 12, LaneCode.EtherTypeIpv4);
    }

    private static void Send(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        ulong flags = Libc.BPF_F_ADJ_ROOM_FIXED_GSO | Libc.BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | Libc.BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
        // Only the Ethernet header is said to be L2: the kernel looks for the inner frame that many bytes before the inner packet, and takes the VXLAN header for the tunnel's own.
        if (facts.IsVxlan) flags |= Libc.BPF_F_ADJ_ROOM_ENCAP_L2_ETH | (ulong)LaneCode.EthernetHeaderLength << Libc.BPF_ADJ_ROOM_ENCAP_L2_SHIFT;
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.Move(BpfRegister.R2, facts.Overhead);
        code.Move(BpfRegister.R3, Libc.BPF_ADJ_ROOM_MAC);
        code.MoveWide(BpfRegister.R4, flags);
        code.Call(Libc.BPF_FUNC_skb_adjust_room);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R0, 0, lane.Next);
        lane.Write(0, LaneCode.Outer, facts.Overhead);
        lane.DecrementTtl(facts.Overhead);

        // A neighbour's address is put in place of an Ethernet header (bpf_redirect_neigh); a TUN's packets have none, and are dropped without a word if they get none.
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.Move(BpfRegister.R2, LaneCode.EthernetHeaderLength);
        code.Move(BpfRegister.R3, 0);
        code.Call(Libc.BPF_FUNC_skb_change_head);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R0, 0, lane.Failed);
        code.Store(Libc.BPF_DW, BpfRegister.Frame, LaneCode.Ethernet, 0);
        code.Store(Libc.BPF_W, BpfRegister.Frame, LaneCode.Ethernet + 8, 0);
        code.Store(Libc.BPF_H, BpfRegister.Frame, LaneCode.Ethernet + 12, LaneCode.EtherTypeIpv4);
        lane.Write(0, LaneCode.Ethernet, LaneCode.EthernetHeaderLength);

        lane.Count(LaneDirection.Egress);
        code.Move(BpfRegister.R1, facts.Road.UnderlayIndex);
        for (BpfRegister rest = BpfRegister.R2; rest <= BpfRegister.R4; rest++) code.Move(rest, 0);
        code.Call(Libc.BPF_FUNC_redirect_neigh);
        code.Exit();
    }

    private static void StoreLength(BpfAssembler code, int place, int more)
    {
        code.Move(BpfRegister.R1, BpfRegister.R8);
        code.Alu(Libc.BPF_ADD, BpfRegister.R1, more);
        code.SwapNetwork16(BpfRegister.R1);
        code.Store(Libc.BPF_H, BpfRegister.Frame, place, BpfRegister.R1);
    }
}
