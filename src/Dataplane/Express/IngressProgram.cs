using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// The program at the underlay interface's way in: takes datagrams of peers out of their outer headers and hands them to the TUN device as if they had been written there. Only
/// with outer checksum 0, which is what a lane and the kernel's VXLAN device send; an engine's have one and go to the engine, together with what UDP_GRO made of them.
/// All checks of the engine are made here, too, and what fails one is left to it. What <see cref="XdpProgram"/> has taken out already is only handed over.
/// </summary>
internal static class IngressProgram
{
    internal static ulong[] Write(LaneFacts facts)
    {
        var code = new BpfAssembler();
        var lane = new LaneCode(code, facts);
        lane.Begin();
        if (facts.Road.Xdp) HandOverMarked(code, lane, facts);
        PacketCode.CheckFrame(code, lane.Next);
        lane.Copy(LaneCode.EthernetHeaderLength, LaneCode.Outer, facts.Overhead);
        IngressChecks.Outer(lane, facts);
        lane.Copy(LaneCode.EthernetHeaderLength + facts.Overhead, LaneCode.Inner, Ipv4.MinHeaderLength);
        IngressChecks.Inner(code, lane, facts);
        CheckLength(code, lane, facts);
        lane.CountSegments(LaneCode.EthernetHeaderLength + facts.Overhead);
        lane.LeaveSuperFlows(LaneCode.EthernetHeaderLength + facts.Overhead);
        TakeOut(code, lane, facts);
        HandOver(code, lane, facts);
        lane.End(LaneDirection.Ingress);
        return code.Build();
    }

    /// <summary>
    /// Packets that bear the mark were checked one by one and perhaps merged since. They cannot go on to the stack any more, which would take them for the underlay's own.
    /// </summary>
    private static void HandOverMarked(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        var marked = new LaneCode(code, facts, lane.Failed);
        var unmarked = new BpfLabel();
        var foreign = new BpfLabel();
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, Libc.SkBuffDataMeta);
        code.Load(Libc.BPF_W, BpfRegister.R2, BpfRegister.R6, Libc.SkBuffData);
        code.Move(BpfRegister.R3, BpfRegister.R1);
        code.Alu(Libc.BPF_ADD, BpfRegister.R3, XdpProgram.MarkSize);
        code.JumpIf(Libc.BPF_JGT, BpfRegister.R3, BpfRegister.R2, unmarked);
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R1, 0);
        code.JumpIf32(Libc.BPF_JNE, BpfRegister.R1, facts.Mark, unmarked);
        code.Move(BpfRegister.R9, 1);
        PacketCode.CheckFrame(code, foreign);
        marked.Copy(LaneCode.EthernetHeaderLength, LaneCode.Inner, Ipv4.MinHeaderLength);
        code.Load(Libc.BPF_H, BpfRegister.R8, BpfRegister.Frame, LaneCode.Inner + 2);
        code.SwapNetwork16(BpfRegister.R8);
        marked.FindPeer(LaneCode.Inner + 12);
        marked.CountSegments(LaneCode.EthernetHeaderLength);
        HandOver(code, marked, facts);
        // The stack would drop these, too, without counting.
        code.Mark(foreign);
        code.Return(Libc.TCX_DROP);
        code.Mark(unmarked);
    }

    /// <summary>Nothing behind the datagram, as Ethernet's padding would be.</summary>
    private static void CheckLength(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, Libc.SkBuffLength);
        code.Alu(Libc.BPF_SUB, BpfRegister.R1, LaneCode.EthernetHeaderLength + facts.Overhead);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, BpfRegister.R8, lane.Next);
    }

    private static void TakeOut(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.Move(BpfRegister.R2, -facts.Overhead);
        code.Move(BpfRegister.R3, Libc.BPF_ADJ_ROOM_MAC);
        code.MoveWide(BpfRegister.R4, Libc.BPF_F_ADJ_ROOM_FIXED_GSO);
        code.Call(Libc.BPF_FUNC_skb_adjust_room);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R0, 0, lane.Next);
    }

    private static void HandOver(BpfAssembler code, LaneCode lane, LaneFacts facts)
    {
        lane.DecrementTtl(LaneCode.EthernetHeaderLength);
        lane.Count(LaneDirection.Ingress);
        code.Move(BpfRegister.R1, facts.Road.TunIndex);
        code.Move(BpfRegister.R2, Libc.BPF_F_INGRESS);
        code.Call(Libc.BPF_FUNC_redirect);
        code.Exit();
    }
}
