using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Express;

public sealed class BpfAssemblerTests
{
    /// <summary>As `llvm-objdump -d` shows the same instructions.</summary>
    [Fact]
    public void Instructions_have_their_bytes()
    {
        var code = new BpfAssembler();
        var end = new BpfLabel();
        code.Move(BpfRegister.R6, BpfRegister.R1);
        code.Move(BpfRegister.R0, -1);
        code.StackAddress(BpfRegister.R2, -8);
        code.MoveWide(BpfRegister.R4, 0x0E00_0000_0000_0053);
        code.MoveMap(BpfRegister.R1, 7);
        code.Alu32(Libc.BPF_AND, BpfRegister.R1, 0xFFFF_FF00);
        code.SwapNetwork16(BpfRegister.R8);
        code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, 16);
        code.Store(Libc.BPF_H, BpfRegister.Frame, -94, BpfRegister.R3);
        code.Store(Libc.BPF_B, BpfRegister.Frame, -88, 64);
        code.AtomicAdd(BpfRegister.R0, 8, BpfRegister.R9);
        code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, 8, end);
        code.JumpIf32(Libc.BPF_JEQ, BpfRegister.R1, 0xC0000202, end);
        code.JumpIf(Libc.BPF_JLE, BpfRegister.R8, BpfRegister.R4, end);
        code.Call(26);
        code.Mark(end);
        code.Exit();
        Assert.Equal(
            """
            bf16000000000000 b7000000ffffffff bfa2000000000000 07020000f8ffffff
            1804000053000000 000000000000000e 1811000007000000 0000000000000000
            5401000000ffffff dc08000010000000 6161100000000000 6b3aa2ff00000000
            720aa8ff40000000 db90080000000000 5501030008000000 16010200020200c0
            bd48010000000000 850000001a000000 9500000000000000
            """.ReplaceLineEndings(" "),
            string.Join(' ', code.Build().Select(word => Convert.ToHexStringLower(BitConverter.GetBytes(word)))));
    }

    [Fact]
    public void A_label_is_known_to_be_used_and_must_be_marked()
    {
        var code = new BpfAssembler();
        BpfLabel used = new(), unused = new();
        code.Jump(used);
        Assert.Equal((true, false), (code.IsUsed(used), code.IsUsed(unused)));
        Assert.Throws<KeyNotFoundException>(code.Build);
    }
}
