using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Express;

/// <summary>Writes eBPF instructions (RFC 9669). Jumps go to labels, forwards only, and are resolved in <see cref="Build"/>.</summary>
internal sealed class BpfAssembler
{
    private readonly List<ulong> _code = [];
    private readonly List<(int At, BpfLabel To)> _jumps = [];
    private readonly Dictionary<BpfLabel, int> _labels = [];

    /// <summary>dst = src, 64 bits.</summary>
    internal void Move(BpfRegister dst, BpfRegister src) => Emit(Libc.BPF_ALU64 | Libc.BPF_MOV | Libc.BPF_X, dst, src, 0, 0);

    /// <summary>dst = a number, sign-extended to 64 bits.</summary>
    internal void Move(BpfRegister dst, int value) => Emit(Libc.BPF_ALU64 | Libc.BPF_MOV, dst, 0, 0, value);

    /// <summary>dst = fp + offset: the address of a place on the stack.</summary>
    internal void StackAddress(BpfRegister dst, int offset)
    {
        Move(dst, BpfRegister.Frame);
        Alu(Libc.BPF_ADD, dst, offset);
    }

    /// <summary>dst = all 64 bits of a number; two instructions.</summary>
    internal void MoveWide(BpfRegister dst, ulong value) => EmitWide(dst, 0, value);

    /// <summary>dst = the map behind a descriptor.</summary>
    internal void MoveMap(BpfRegister dst, int fd) => EmitWide(dst, Libc.BPF_PSEUDO_MAP_FD, (uint)fd);

    /// <summary>dst = dst op value, 64 bits.</summary>
    internal void Alu(byte operation, BpfRegister dst, int value) => Emit((byte)(Libc.BPF_ALU64 | operation), dst, 0, 0, value);

    /// <summary>dst = dst op src, 64 bits.</summary>
    internal void Alu(byte operation, BpfRegister dst, BpfRegister src) => Emit((byte)(Libc.BPF_ALU64 | operation | Libc.BPF_X), dst, src, 0, 0);

    /// <summary>dst = dst op value in the low 32 bits, the upper ones 0: for masks, which are not to be sign-extended.</summary>
    internal void Alu32(byte operation, BpfRegister dst, uint value) => Emit((byte)(Libc.BPF_ALU | operation), dst, 0, 0, (int)value);

    /// <summary>The low 16 bits from host to network order or back, the others 0.</summary>
    internal void SwapNetwork16(BpfRegister dst) => Emit(Libc.BPF_ALU | Libc.BPF_END | Libc.BPF_TO_BE, dst, 0, 0, 16);

    /// <summary>dst = *(size*)(address + offset), zero-extended.</summary>
    internal void Load(byte size, BpfRegister dst, BpfRegister address, int offset) =>
        Emit((byte)(Libc.BPF_LDX | Libc.BPF_MEM | size), dst, address, checked((short)offset), 0);

    /// <summary>*(size*)(address + offset) = src. On the stack offsets must be multiples of the size.</summary>
    internal void Store(byte size, BpfRegister address, int offset, BpfRegister src) =>
        Emit((byte)(Libc.BPF_STX | Libc.BPF_MEM | size), address, src, checked((short)offset), 0);

    /// <summary>*(size*)(address + offset) = value.</summary>
    internal void Store(byte size, BpfRegister address, int offset, int value) =>
        Emit((byte)(Libc.BPF_ST | Libc.BPF_MEM | size), address, 0, checked((short)offset), value);

    /// <summary>*(u64*)(address + offset) += src, as one step for all processors.</summary>
    internal void AtomicAdd(BpfRegister address, int offset, BpfRegister src) =>
        Emit(Libc.BPF_STX | Libc.BPF_ATOMIC | Libc.BPF_DW, address, src, checked((short)offset), Libc.BPF_ADD);

    /// <summary>Jumps if the 64-bit comparison with a sign-extended number holds.</summary>
    internal void JumpIf(byte condition, BpfRegister dst, int value, BpfLabel to) => Jump((byte)(Libc.BPF_JMP | condition), dst, 0, value, to);

    /// <summary>Jumps if the comparison of two registers holds, 64 bits, without sign.</summary>
    internal void JumpIf(byte condition, BpfRegister dst, BpfRegister src, BpfLabel to) => Jump((byte)(Libc.BPF_JMP | condition | Libc.BPF_X), dst, src, 0, to);

    /// <summary>Jumps if the comparison of the low 32 bits with a number holds.</summary>
    internal void JumpIf32(byte condition, BpfRegister dst, uint value, BpfLabel to) => Jump((byte)(Libc.BPF_JMP32 | condition), dst, 0, (int)value, to);

    internal void Jump(BpfLabel to) => Jump(Libc.BPF_JMP | Libc.BPF_JA, 0, 0, 0, to);

    /// <summary>Calls a helper (bpf-helpers(7)): arguments in R1 to R5, which are gone afterwards; the result in R0.</summary>
    internal void Call(int helper) => Emit(Libc.BPF_JMP | Libc.BPF_CALL, 0, 0, 0, helper);

    /// <summary>Ends the program with a verdict.</summary>
    internal void Return(int verdict)
    {
        Move(BpfRegister.R0, verdict);
        Exit();
    }

    internal void Exit() => Emit(Libc.BPF_JMP | Libc.BPF_EXIT, 0, 0, 0, 0);

    /// <summary>What follows is where a label is.</summary>
    internal void Mark(BpfLabel label) => _labels.Add(label, _code.Count);

    /// <summary>True if something jumps to a label: the verifier refuses code that nothing reaches.</summary>
    internal bool IsUsed(BpfLabel label) => _jumps.Exists(jump => jump.To == label);

    /// <summary>The program, 8 bytes per instruction.</summary>
    /// <exception cref="KeyNotFoundException">A label was never marked.</exception>
    internal ulong[] Build()
    {
        ulong[] code = [.. _code];
        foreach ((int at, BpfLabel to) in _jumps) code[at] |= (ulong)(ushort)checked((short)(_labels[to] - at - 1)) << 16;
        return code;
    }

    private void Jump(byte code, BpfRegister dst, BpfRegister src, int value, BpfLabel to)
    {
        _jumps.Add((_code.Count, to));
        Emit(code, dst, src, 0, value);
    }

    private void EmitWide(BpfRegister dst, byte kind, ulong value)
    {
        Emit(Libc.BPF_LD | Libc.BPF_DW | Libc.BPF_IMM, dst, (BpfRegister)kind, 0, (int)(uint)value);
        Emit(0, 0, 0, 0, (int)(value >> 32));
    }

    // struct bpf_insn on a little-endian host: opcode, destination in the low and source in the high four bits, offset, number.
    private void Emit(byte code, BpfRegister dst, BpfRegister src, short offset, int value) =>
        _code.Add(code | (ulong)dst << 8 | (ulong)src << 12 | (ulong)(ushort)offset << 16 | (ulong)(uint)value << 32);
}
