using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// The program at the underlay interface's way in that hands datagrams of the tunnel's port to an engine's sockets at another port while the kernel's VXLAN driver has the
/// tunnel's own (<see cref="Engine.LentPort"/>). Headers stay as they are, but for a <see cref="SegmentNote"/>. What it cannot tell goes on to the stack: fragments, whose ports only the first has.
/// </summary>
internal static class SteeringProgram
{
    private const int Scratch = -8, Ip = -32, Tuple = -48, TupleSize = 12, Note = Tuple;

    /// <param name="local">The engine's address, in host order.</param>
    /// <param name="port">The tunnel's port.</param>
    /// <param name="aside">Where the engine's sockets are, at the same address.</param>
    /// <param name="noteKey">Of the <see cref="SegmentNote"/>s.</param>
    internal static ulong[] Write(uint local, int port, int aside, uint noteKey)
    {
        var code = new BpfAssembler();
        var next = new BpfLabel();
        PacketCode.Begin(code, next);
        PacketCode.CheckFrame(code, next);
        code.Move(BpfRegister.R2, LaneCode.EthernetHeaderLength);
        PacketCode.Copy(code, Ip, Ipv4.MinHeaderLength, next);
        PacketCode.Expect(code, Libc.BPF_B, Ip + 9, IpProtocol.Udp, next);
        PacketCode.Expect(code, Libc.BPF_W, Ip + 16, LaneCode.Network32(local), next);
        PacketCode.ExpectWhole(code, Ip, next);
        // The ports, behind whatever options there are.
        code.Load(Libc.BPF_B, BpfRegister.R2, BpfRegister.Frame, Ip);
        code.Alu(Libc.BPF_AND, BpfRegister.R2, 0xF);
        code.Alu(Libc.BPF_LSH, BpfRegister.R2, 2);
        code.Alu(Libc.BPF_ADD, BpfRegister.R2, LaneCode.EthernetHeaderLength);
        code.Move(BpfRegister.R8, BpfRegister.R2);
        PacketCode.Copy(code, Scratch, sizeof(uint), next);
        PacketCode.Expect(code, Libc.BPF_H, Scratch + 2, LaneCode.Network16((ushort)port), next);
        NoteSegments(code, noteKey);
        Assign(code, local, aside, next);
        code.Mark(next);
        code.Return(Libc.TCX_NEXT);
        return code.Build();
    }

    /// <summary>R8 is where the UDP header starts. One that is too short for VXLAN stays as it is: the engine refuses it in any case.</summary>
    private static void NoteSegments(BpfAssembler code, uint noteKey)
    {
        var single = new BpfLabel();
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, Libc.SkBuffGsoSize);
        code.JumpIf(Libc.BPF_JEQ, BpfRegister.R1, 0, single);
        code.Store(Libc.BPF_W, BpfRegister.Frame, Note, (int)noteKey);
        code.Store(Libc.BPF_H, BpfRegister.Frame, Note + sizeof(uint), BpfRegister.R1);
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.Move(BpfRegister.R2, BpfRegister.R8);
        code.Alu(Libc.BPF_ADD, BpfRegister.R2, Udp.HeaderLength + SegmentNote.Offset);
        code.StackAddress(BpfRegister.R3, Note);
        code.Move(BpfRegister.R4, SegmentNote.Size);
        code.Move(BpfRegister.R5, 0);
        code.Call(Libc.BPF_FUNC_skb_store_bytes);
        code.Mark(single);
    }

    /// <summary>Finds the socket for the sender, of several that share the port always the same one, and gives it the packet (bpf-helpers(7), bpf_sk_assign).</summary>
    private static void Assign(BpfAssembler code, uint local, int aside, BpfLabel next)
    {
        // struct bpf_sock_tuple, ipv4: saddr, daddr, sport, dport.
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.Frame, Ip + 12);
        code.Store(Libc.BPF_W, BpfRegister.Frame, Tuple, BpfRegister.R1);
        code.Store(Libc.BPF_W, BpfRegister.Frame, Tuple + 4, (int)LaneCode.Network32(local));
        code.Load(Libc.BPF_H, BpfRegister.R1, BpfRegister.Frame, Scratch);
        code.Store(Libc.BPF_H, BpfRegister.Frame, Tuple + 8, BpfRegister.R1);
        code.Store(Libc.BPF_H, BpfRegister.Frame, Tuple + 10, LaneCode.Network16((ushort)aside));
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.StackAddress(BpfRegister.R2, Tuple);
        code.Move(BpfRegister.R3, TupleSize);
        code.Move(BpfRegister.R4, Libc.BPF_F_CURRENT_NETNS);
        code.Move(BpfRegister.R5, 0);
        code.Call(Libc.BPF_FUNC_sk_lookup_udp);
        code.JumpIf(Libc.BPF_JEQ, BpfRegister.R0, 0, next);
        code.Move(BpfRegister.R7, BpfRegister.R0);
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.Move(BpfRegister.R2, BpfRegister.R7);
        code.Move(BpfRegister.R3, 0);
        code.Call(Libc.BPF_FUNC_sk_assign);
        code.Move(BpfRegister.R1, BpfRegister.R7);
        code.Call(Libc.BPF_FUNC_sk_release);
    }
}
