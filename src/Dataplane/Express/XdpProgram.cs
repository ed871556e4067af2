using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// The program in the underlay interface's driver, for TCP that arrives cut: takes segments out of their outer headers before GRO (net/core/gro.c) looks at them. GRO leaves
/// datagrams without a checksum alone, but merges plain TCP, and the stack has one packet to carry instead of 45. They go on as frames of the underlay, with a mark in front that tells
/// <see cref="IngressProgram"/> whose they are: only a program of this kind can put one there, and an interface has room for one program.
/// </summary>
internal static class XdpProgram
{
    /// <summary>Bytes of the mark; the kernel wants a multiple of 4.</summary>
    internal const int MarkSize = 4;

    internal static ulong[] Write(LaneFacts facts)
    {
        var code = new BpfAssembler();
        var lane = new LaneCode(code, facts);
        CopyHeaders(code, lane, facts);
        lane.Expect(Libc.BPF_B, LaneCode.Inner + 9, IpProtocol.Tcp);
        IngressChecks.Outer(lane, facts);
        IngressChecks.Inner(code, lane, facts);
        CheckLength(code, lane, facts);
        TakeOut(code, lane, facts);
        lane.End(LaneDirection.Ingress, Libc.XDP_PASS, Libc.XDP_DROP);
        return code.Build();
    }

    /// <summary>Headers to the stack, as the checks want them. Frames that are not for the tunnel are left as early as can be.</summary>
    private static void CopyHeaders(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        const int ip = LaneCode.EthernetHeaderLength;
        int inner = ip + facts.Overhead;
        code.Move(BpfRegister.R6, BpfRegister.R1);
        code.Load(Libc.BPF_W, BpfRegister.R2, BpfRegister.R6, Libc.XdpData);
        code.Load(Libc.BPF_W, BpfRegister.R3, BpfRegister.R6, Libc.XdpDataEnd);
        code.Move(BpfRegister.R1, BpfRegister.R2);
        code.Alu(Libc.BPF_ADD, BpfRegister.R1, inner + Ipv4.MinHeaderLength);
        code.JumpIf(Libc.BPF_JGT, BpfRegister.R1, BpfRegister.R3, lane.Next);
        code.Load(Libc.BPF_H, BpfRegister.R1, BpfRegister.R2, ip + Ipv4.MinHeaderLength + 2);
        code.JumpIf32(Libc.BPF_JNE, BpfRegister.R1, LaneCode.Network16((ushort)facts.Port), lane.Next);
        lane.CopyKnown(BpfRegister.R2, 0, BpfRegister.Frame, LaneCode.Ethernet, LaneCode.EthernetHeaderLength);
        lane.CopyKnown(BpfRegister.R2, ip, BpfRegister.Frame, LaneCode.Outer, facts.Overhead);
        lane.CopyKnown(BpfRegister.R2, inner, BpfRegister.Frame, LaneCode.Inner, Ipv4.MinHeaderLength);
        lane.Expect(Libc.BPF_H, LaneCode.Ethernet + 12, LaneCode.EtherTypeIpv4);
    }

    /// <summary>Nothing behind the datagram. A super-packet, which veth may hand over whole, stays one of a tunnel whatever becomes of its headers here: <see cref="IngressProgram"/> takes it.</summary>
    private static void CheckLength(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        code.JumpIf(Libc.BPF_JGT, BpfRegister.R8, facts.Road.UnderlayMtu - facts.Overhead, lane.Next);
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.Call(Libc.BPF_FUNC_xdp_get_buff_len);
        code.Alu(Libc.BPF_SUB, BpfRegister.R0, LaneCode.EthernetHeaderLength + facts.Overhead);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R0, BpfRegister.R8, lane.Next);
    }

    private static void TakeOut(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        var marked = new BpfLabel();
        Adjust(code, Libc.BPF_FUNC_xdp_adjust_head, facts.Overhead);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R0, 0, lane.Next);
        // Behind the other: the mark lies where the outer headers were, which are in the cache (2.5 % of all samples when it lay in front of them).
        code.Move(BpfRegister.R9, 1);
        Adjust(code, Libc.BPF_FUNC_xdp_adjust_meta, -MarkSize);
        code.JumpIf(Libc.BPF_JEQ, BpfRegister.R0, 0, marked);
        // A driver without room for marks: nothing was written yet.
        Adjust(code, Libc.BPF_FUNC_xdp_adjust_head, -facts.Overhead);
        code.JumpIf(Libc.BPF_JEQ, BpfRegister.R0, 0, lane.Next);
        code.Jump(lane.Failed);
        code.Mark(marked);
        code.Load(Libc.BPF_W, BpfRegister.R2, BpfRegister.R6, Libc.XdpData);
        code.Load(Libc.BPF_W, BpfRegister.R3, BpfRegister.R6, Libc.XdpDataEnd);
        CheckRoom(code, lane, BpfRegister.R2, LaneCode.EthernetHeaderLength, BpfRegister.R3);
        lane.CopyKnown(BpfRegister.Frame, LaneCode.Ethernet, BpfRegister.R2, 0, LaneCode.EthernetHeaderLength);
        code.Load(Libc.BPF_W, BpfRegister.R3, BpfRegister.R6, Libc.XdpDataMeta);
        CheckRoom(code, lane, BpfRegister.R3, MarkSize, BpfRegister.R2);
        code.Store(Libc.BPF_W, BpfRegister.R3, 0, (int)facts.Mark);
        code.Return(Libc.XDP_PASS);
    }

    private static void Adjust(BpfAssembler code, int helper, int delta)
    {
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.Move(BpfRegister.R2, delta);
        code.Call(helper);
    }

    /// <summary>What holds after the adjustments, for the verifier to see. Uses R1.</summary>
    private static void CheckRoom(BpfAssembler code, LaneCode lane, BpfRegister start, int length, BpfRegister end)
    {
        code.Move(BpfRegister.R1, start);
        code.Alu(Libc.BPF_ADD, BpfRegister.R1, length);
        code.JumpIf(Libc.BPF_JGT, BpfRegister.R1, end, lane.Failed);
    }
}
