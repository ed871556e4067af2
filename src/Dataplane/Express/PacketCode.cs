using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Express;

/// <summary>What all programs on packets of the stack (struct __sk_buff) have in common, whatever tunnel they are for. R6 is the packet; R1 to R5 are used.</summary>
internal static class PacketCode
{
    private const ushort FragmentMask = 0x3FFF;

    /// <summary>IPv4 only. Sets R6.</summary>
    internal static void Begin(BpfAssembler code, BpfLabel orElse)
    {
        code.Move(BpfRegister.R6, BpfRegister.R1);
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, Libc.SkBuffProtocol);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, LaneCode.EtherTypeIpv4, orElse);
    }

    /// <summary>
    /// Frames of another host (the interface is promiscuous) or of a VLAN go on to the stack, which drops them or knows whose they are. A program at the way in runs before either is
    /// looked at (net/core/dev.c, __netif_receive_skb_core), and a redirected packet counts as our own, whoever it was for (skb_scrub_packet).
    /// </summary>
    internal static void CheckFrame(BpfAssembler code, BpfLabel orElse)
    {
        foreach (short field in (ReadOnlySpan<short>)[Libc.SkBuffPacketType, Libc.SkBuffVlanPresent])
        {
            code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, field);
            code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, 0, orElse);
        }
    }

    /// <summary>Copies bytes of the packet, from the offset in R2 on, to the stack; a shorter packet goes elsewhere.</summary>
    internal static void Copy(BpfAssembler code, int place, int length, BpfLabel orElse)
    {
        code.Move(BpfRegister.R1, BpfRegister.R6);
        code.StackAddress(BpfRegister.R3, place);
        code.Move(BpfRegister.R4, length);
        code.Call(Libc.BPF_FUNC_skb_load_bytes);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R0, 0, orElse);
    }

    /// <summary>A place on the stack must have a value, as it lies in memory.</summary>
    internal static void Expect(BpfAssembler code, byte size, int place, uint value, BpfLabel orElse)
    {
        code.Load(size, BpfRegister.R1, BpfRegister.Frame, place);
        code.JumpIf32(Libc.BPF_JNE, BpfRegister.R1, value, orElse);
    }

    /// <summary>An IPv4 header on the stack must not be a fragment's.</summary>
    internal static void ExpectWhole(BpfAssembler code, int place, BpfLabel orElse)
    {
        code.Load(Libc.BPF_H, BpfRegister.R1, BpfRegister.Frame, place + 6);
        code.Alu32(Libc.BPF_AND, BpfRegister.R1, LaneCode.Network16(FragmentMask));
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, 0, orElse);
    }
}
