using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// The program at the underlay interface's way in: takes datagrams of peers out of their outer headers and hands them to the TUN device as if they had been written there. Only
/// with outer checksum 0, which is what a lane and the kernel's VXLAN device send; an engine's have one and go to the engine, together with what UDP_GRO made of them.
/// All checks of the engine are made here, too, and what fails one is left to it.
/// </summary>
internal static class IngressProgram
{
    private const int EthernetHeaderLength = 14;

    internal static ulong[] Write(LaneFacts facts)
    {
        var code = new BpfAssembler();
        var lane = new LaneCode(code, facts);
        lane.Begin();
        CheckFrame(code, lane);
        lane.Copy(EthernetHeaderLength, LaneCode.Outer, facts.Overhead);
        CheckOuter(lane, facts);
        lane.Copy(EthernetHeaderLength + facts.Overhead, LaneCode.Inner, Ipv4.MinHeaderLength);
        CheckInner(code, lane, facts);
        Deliver(code, lane, facts);
        lane.End(LaneDirection.Ingress);
        return code.Build();
    }

    /// <summary>
    /// Frames of another host (the interface is promiscuous) or of a VLAN go on to the stack, which drops them or knows whose they are. The program runs before either is
    /// looked at (net/core/dev.c, __netif_receive_skb_core), and a redirected packet counts as our own, whoever it was for (skb_scrub_packet).
    /// </summary>
    private static void CheckFrame(BpfAssembler code, LaneCode lane)
    {
        foreach (short field in (ReadOnlySpan<short>)[Libc.SkBuffPacketType, Libc.SkBuffVlanPresent])
        {
            code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, field);
            code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, 0, lane.Next);
        }
    }

    private static void CheckOuter(LaneCode lane, LaneFacts facts)
    {
        const int ip = LaneCode.Outer, udp = ip + Ipv4.MinHeaderLength;
        uint port = LaneCode.Network16((ushort)facts.Port);
        lane.Expect(Libc.BPF_H, udp + 2, port);
        lane.Expect(Libc.BPF_B, ip + 9, IpProtocol.Udp);
        lane.CheckPlainHeader(ip);
        lane.Expect(Libc.BPF_W, ip + 16, LaneCode.Network32(facts.LocalAddress));
        lane.Expect(Libc.BPF_H, udp + 6, 0);
        if (!facts.IsVxlan && facts.CheckSourcePort) lane.Expect(Libc.BPF_H, udp, port);
        if (facts.IsVxlan) CheckVxlan(lane, facts);
    }

    /// <summary>Our own address as the sender's cannot come from a peer, whose subnet and PublicIP are checked.</summary>
    private static void CheckVxlan(LaneCode lane, LaneFacts facts)
    {
        const int vxlan = LaneCode.Outer + LaneCode.VxlanHeader, ethernet = vxlan + 8;
        lane.Expect(Libc.BPF_W, vxlan, LaneCode.Network32(0x0800_0000));
        lane.Expect(Libc.BPF_W, vxlan + 4, LaneCode.Network32((uint)facts.Vni << 8));
        lane.Expect(Libc.BPF_W, ethernet, (uint)facts.Mac);
        lane.Expect(Libc.BPF_H, ethernet + 4, (ushort)(facts.Mac >> 32));
        lane.Expect(Libc.BPF_H, ethernet + 12, LaneCode.EtherTypeIpv4);
    }

    private static void CheckInner(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        const int inner = LaneCode.Inner, outer = LaneCode.Outer;
        lane.CheckPlainHeader(inner);
        code.Load(Libc.BPF_B, BpfRegister.R1, BpfRegister.Frame, inner + 8);
        code.JumpIf(Libc.BPF_JLT, BpfRegister.R1, facts.LeastTtl, lane.Next);
        code.Load(Libc.BPF_H, BpfRegister.R8, BpfRegister.Frame, inner + 2);
        code.SwapNetwork16(BpfRegister.R8);
        // One packet and nothing behind it: a run of datagrams that UDP_SEGMENT left whole has a longer outer one, Ethernet's padding a longer frame.
        ExpectLength(code, lane, outer + 2, facts.Overhead);
        ExpectLength(code, lane, outer + Ipv4.MinHeaderLength + 4, facts.Overhead - Ipv4.MinHeaderLength);
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, Libc.SkBuffLength);
        code.Alu(Libc.BPF_SUB, BpfRegister.R1, EthernetHeaderLength + facts.Overhead);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, BpfRegister.R8, lane.Next);
        foreach (int header in (ReadOnlySpan<int>)[outer, inner])
        {
            lane.SumHeader(header);
            code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, 0xFFFF, lane.Next);
        }
        lane.ExpectLocal(inner + 16);
        lane.FindPeer(inner + 12);
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R7, LaneMaps.PeerAddress);
        code.JumpIf(Libc.BPF_JEQ, BpfRegister.R1, 0, lane.Next);
        code.Load(Libc.BPF_W, BpfRegister.R2, BpfRegister.Frame, outer + 12);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, BpfRegister.R2, lane.Next);
        lane.CountSegments(EthernetHeaderLength + facts.Overhead);
        lane.LeaveSuperFlows(EthernetHeaderLength + facts.Overhead);
    }

    private static void ExpectLength(BpfAssembler code, LaneCode lane, int place, int more)
    {
        code.Load(Libc.BPF_H, BpfRegister.R1, BpfRegister.Frame, place);
        code.SwapNetwork16(BpfRegister.R1);
        code.Alu(Libc.BPF_SUB, BpfRegister.R1, more);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, BpfRegister.R8, lane.Next);
    }

    private static void Deliver(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.Move(BpfRegister.R2, -facts.Overhead);
        code.Move(BpfRegister.R3, Libc.BPF_ADJ_ROOM_MAC);
        code.MoveWide(BpfRegister.R4, Libc.BPF_F_ADJ_ROOM_FIXED_GSO);
        code.Call(Libc.BPF_FUNC_skb_adjust_room);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R0, 0, lane.Next);
        lane.DecrementTtl(EthernetHeaderLength);
        lane.Count(LaneDirection.Ingress);
        code.Move(BpfRegister.R1, facts.Road.TunIndex);
        code.Move(BpfRegister.R2, Libc.BPF_F_INGRESS);
        code.Call(Libc.BPF_FUNC_redirect);
        code.Exit();
    }
}
