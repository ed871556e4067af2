using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// What a datagram must be for one of the programs at the underlay's way in to take it; what is not is the engine's. They look at headers on the stack, at <see cref="LaneCode.Outer"/>
/// and <see cref="LaneCode.Inner"/>. How long the frame is they cannot see: that is the program's to check.
/// </summary>
internal static class IngressChecks
{
    /// <summary>A datagram for this tunnel, with outer checksum 0: a lane and the kernel's VXLAN device send such, an engine does not.</summary>
    internal static void Outer(LaneCode lane, LaneFacts facts)
    {
        const int ip = LaneCode.Outer, udp = ip + Ipv4.MinHeaderLength;
        uint port = LaneCode.Network16((ushort)facts.Port);
        lane.Expect(Libc.BPF_H, udp + 2, port);
        lane.Expect(Libc.BPF_B, ip + 9, IpProtocol.Udp);
        lane.CheckPlainHeader(ip);
        lane.Expect(Libc.BPF_W, ip + 16, LaneCode.Network32(facts.LocalAddress));
        lane.Expect(Libc.BPF_H, udp + 6, 0);
        if (!facts.IsVxlan && facts.CheckSourcePort) lane.Expect(Libc.BPF_H, udp, port);
        if (facts.IsVxlan) Vxlan(lane, facts);
    }

    /// <summary>A packet from a peer's subnet to ours that fills its datagram. Sets R7 and R8.</summary>
    internal static void Inner(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        const int inner = LaneCode.Inner, outer = LaneCode.Outer;
        lane.CheckPlainHeader(inner);
        code.Load(Libc.BPF_B, BpfRegister.R1, BpfRegister.Frame, inner + 8);
        code.JumpIf(Libc.BPF_JLT, BpfRegister.R1, facts.LeastTtl, lane.Next);
        code.Load(Libc.BPF_H, BpfRegister.R8, BpfRegister.Frame, inner + 2);
        code.SwapNetwork16(BpfRegister.R8);
        // One packet and nothing behind it: a run of datagrams that UDP_SEGMENT left whole has a longer outer one.
        ExpectLength(code, lane, outer + 2, facts.Overhead);
        ExpectLength(code, lane, outer + Ipv4.MinHeaderLength + 4, facts.Overhead - Ipv4.MinHeaderLength);
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
    }

    /// <summary>Our own address as the sender's cannot come from a peer, whose subnet and PublicIP are checked.</summary>
    private static void Vxlan(LaneCode lane, LaneFacts facts)
    {
        const int vxlan = LaneCode.Outer + LaneCode.VxlanHeader, ethernet = vxlan + 8;
        lane.Expect(Libc.BPF_W, vxlan, LaneCode.Network32(0x0800_0000));
        lane.Expect(Libc.BPF_W, vxlan + 4, LaneCode.Network32((uint)facts.Vni << 8));
        lane.Expect(Libc.BPF_W, ethernet, (uint)facts.Mac);
        lane.Expect(Libc.BPF_H, ethernet + 4, (ushort)(facts.Mac >> 32));
        lane.Expect(Libc.BPF_H, ethernet + 12, LaneCode.EtherTypeIpv4);
    }

    private static void ExpectLength(BpfAssembler code, LaneCode lane, int place, int more)
    {
        code.Load(Libc.BPF_H, BpfRegister.R1, BpfRegister.Frame, place);
        code.SwapNetwork16(BpfRegister.R1);
        code.Alu(Libc.BPF_SUB, BpfRegister.R1, more);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, BpfRegister.R8, lane.Next);
    }
}
