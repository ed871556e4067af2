using System.Buffers.Binary;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// What the programs of the lane have in common. R6 is the packet (struct __sk_buff or xdp_md), R7 the peer's entry, R8 the inner length, R9 the packets that a super-packet stands
/// for. A packet that fails any check goes on to the stack and so to the engine, unchanged, which judges and counts it.
/// </summary>
/// <param name="code">Where the instructions go.</param>
/// <param name="facts">What they are written for.</param>
/// <param name="orElse">Where packets go that fail anything: <see cref="Next"/> and <see cref="Failed"/> in one. Null makes these two.</param>
internal sealed class LaneCode(BpfAssembler code, LaneFacts facts, BpfLabel? orElse = null)
{
    internal const int EthernetHeaderLength = 14;

    /// <summary>Stack: the inner IPv4 header, 20 bytes.</summary>
    internal const int Inner = -40;

    /// <summary>Stack: the outer headers, 50 bytes at most.</summary>
    internal const int Outer = -96;

    /// <summary>Offset of the first VXLAN header byte from the outer IPv4 header.</summary>
    internal const int VxlanHeader = 28;

    /// <summary>Stack: an Ethernet header, 14 bytes.</summary>
    internal const int Ethernet = -120;

    private const int Scratch = -4, Key = -8, PrefixKey = -16, Flow = -136;

    /// <summary>ETH_P_IP as it lies in memory.</summary>
    internal const ushort EtherTypeIpv4 = 0x0008;

    private readonly BpfAssembler _code = code;

    /// <summary>Leaves the packet to the stack.</summary>
    internal BpfLabel Next { get; } = orElse ?? new();

    /// <summary>Drops a packet that is half changed already, counted.</summary>
    internal BpfLabel Failed { get; } = orElse ?? new();

    /// <summary>IPv4 only. Sets R6.</summary>
    internal void Begin() => PacketCode.Begin(_code, Next);

    /// <summary>Copies bytes of the packet to the stack; a shorter packet is the engine's.</summary>
    internal void Copy(int offset, int place, int length)
    {
        _code.Move(BpfRegister.R2, offset);
        PacketCode.Copy(_code, place, length, Next);
    }

    /// <summary>Copies bytes to the stack that are known to be there: <paramref name="address"/> points to a packet whose end was looked at, or to the stack. Uses R1.</summary>
    /// <param name="address">Where from.</param>
    /// <param name="offset">From there on, in bytes.</param>
    /// <param name="to">Where to.</param>
    /// <param name="place">From there on, in bytes; on the stack a multiple of 8.</param>
    /// <param name="length">Bytes.</param>
    internal void CopyKnown(BpfRegister address, int offset, BpfRegister to, int place, int length)
    {
        for (int at = 0; at < length;)
        {
            (byte size, int bytes) = (length - at) switch
            {
                >= 8 => (Libc.BPF_DW, 8),
                >= 4 => (Libc.BPF_W, 4),
                >= 2 => (Libc.BPF_H, 2),
                _ => (Libc.BPF_B, 1),
            };
            _code.Load(size, BpfRegister.R1, address, offset + at);
            _code.Store(size, to, place + at, BpfRegister.R1);
            at += bytes;
        }
    }

    /// <summary>Writes bytes of the stack into the packet.</summary>
    internal void Write(int offset, int place, int length)
    {
        _code.Move(BpfRegister.R1, BpfRegister.R6);
        _code.Move(BpfRegister.R2, offset);
        _code.StackAddress(BpfRegister.R3, place);
        _code.Move(BpfRegister.R4, length);
        _code.Move(BpfRegister.R5, 0);
        _code.Call(Libc.BPF_FUNC_skb_store_bytes);
        _code.JumpIf(Libc.BPF_JNE, BpfRegister.R0, 0, Failed);
    }

    /// <summary>An IPv4 header on the stack: without options, not a fragment.</summary>
    internal void CheckPlainHeader(int place)
    {
        Expect(Libc.BPF_B, place, 0x45);
        PacketCode.ExpectWhole(_code, place, Next);
    }

    /// <summary>A place on the stack must have a value, as it lies in memory.</summary>
    internal void Expect(byte size, int place, uint value) => PacketCode.Expect(_code, size, place, value, Next);

    /// <summary>An address on the stack must lie in our own subnet.</summary>
    internal void ExpectLocal(int place)
    {
        _code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.Frame, place);
        _code.Alu32(Libc.BPF_AND, BpfRegister.R1, Network32((uint)facts.Subnet.Mask));
        _code.JumpIf32(Libc.BPF_JNE, BpfRegister.R1, Network32((uint)facts.Subnet.First), Next);
    }

    /// <summary>R1 = the ones' complement sum of the ten words of an IPv4 header on the stack (RFC 1071). Uses R2.</summary>
    internal void SumHeader(int place)
    {
        _code.Move(BpfRegister.R1, 0);
        for (int word = 0; word < Ipv4.MinHeaderLength; word += 2)
        {
            _code.Load(Libc.BPF_H, BpfRegister.R2, BpfRegister.Frame, place + word);
            _code.Alu(Libc.BPF_ADD, BpfRegister.R1, BpfRegister.R2);
        }
        for (int fold = 0; fold < 2; fold++)
        {
            _code.Move(BpfRegister.R2, BpfRegister.R1);
            _code.Alu(Libc.BPF_RSH, BpfRegister.R2, 16);
            _code.Alu(Libc.BPF_AND, BpfRegister.R1, 0xFFFF);
            _code.Alu(Libc.BPF_ADD, BpfRegister.R1, BpfRegister.R2);
        }
    }

    /// <summary>
    /// R9 = the packets a super-packet will be, R2 = the inner length of the largest. Computed, because gso_segs is 0 where the sender is not trusted. R8 must be
    /// set; <paramref name="offset"/> is where the inner packet begins.
    /// </summary>
    internal void CountSegments(int offset)
    {
        var sized = new BpfLabel();
        var udp = new BpfLabel();
        var known = new BpfLabel();
        _code.Move(BpfRegister.R9, 1);
        _code.Move(BpfRegister.R2, BpfRegister.R8);
        _code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, Libc.SkBuffGsoSize);
        _code.JumpIf(Libc.BPF_JEQ, BpfRegister.R1, 0, sized);
        _code.Load(Libc.BPF_B, BpfRegister.R1, BpfRegister.Frame, Inner + 9);
        _code.JumpIf(Libc.BPF_JEQ, BpfRegister.R1, IpProtocol.Udp, udp);
        _code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, IpProtocol.Tcp, Next);
        Copy(offset + Ipv4.MinHeaderLength + 12, Scratch, 1);
        _code.Load(Libc.BPF_B, BpfRegister.R4, BpfRegister.Frame, Scratch);
        _code.Alu(Libc.BPF_RSH, BpfRegister.R4, 4);
        _code.Alu(Libc.BPF_LSH, BpfRegister.R4, 2);
        _code.Jump(known);
        _code.Mark(udp);
        _code.Move(BpfRegister.R4, Udp.HeaderLength);
        _code.Mark(known);
        _code.Alu(Libc.BPF_ADD, BpfRegister.R4, Ipv4.MinHeaderLength);
        _code.JumpIf(Libc.BPF_JLE, BpfRegister.R8, BpfRegister.R4, Next);
        _code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R6, Libc.SkBuffGsoSize);
        _code.Move(BpfRegister.R2, BpfRegister.R8);
        _code.Move(BpfRegister.R3, BpfRegister.R8);
        _code.Alu(Libc.BPF_SUB, BpfRegister.R3, BpfRegister.R4);
        _code.JumpIf(Libc.BPF_JLE, BpfRegister.R3, BpfRegister.R1, sized);
        _code.Move(BpfRegister.R2, BpfRegister.R4);
        _code.Alu(Libc.BPF_ADD, BpfRegister.R2, BpfRegister.R1);
        _code.Alu(Libc.BPF_ADD, BpfRegister.R3, BpfRegister.R1);
        _code.Alu(Libc.BPF_SUB, BpfRegister.R3, 1);
        _code.Alu(Libc.BPF_DIV, BpfRegister.R3, BpfRegister.R1);
        _code.Move(BpfRegister.R9, BpfRegister.R3);
        _code.Mark(sized);
    }

    /// <summary>
    /// Leaves a UDP flow to the engine from its first super-packet on, all of it, so that nothing overtakes. One that arrives uncut would be lost: taken out of its outer headers it still
    /// counts as encapsulated, and udp4_ufo_fragment looks for a tunnel in it (as of Linux 6.18). And one that is cut on the way is cut for good, while runs of the engine are merged
    /// again by UDP_GRO. R8 and R9 must be set; <paramref name="offset"/> is where the inner packet begins.
    /// </summary>
    internal void LeaveSuperFlows(int offset)
    {
        var other = new BpfLabel();
        var single = new BpfLabel();
        _code.Load(Libc.BPF_B, BpfRegister.R1, BpfRegister.Frame, Inner + 9);
        _code.JumpIf(Libc.BPF_JNE, BpfRegister.R1, IpProtocol.Udp, other);
        for (int at = 0; at < 8; at += 4)
        {
            _code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.Frame, Inner + 12 + at);
            _code.Store(Libc.BPF_W, BpfRegister.Frame, Flow + at, BpfRegister.R1);
        }
        Copy(offset + Ipv4.MinHeaderLength, Flow + 8, 4);
        _code.MoveMap(BpfRegister.R1, facts.Maps.Flows.Number);
        _code.StackAddress(BpfRegister.R2, Flow);
        _code.JumpIf(Libc.BPF_JEQ, BpfRegister.R9, 1, single);
        _code.Store(Libc.BPF_W, BpfRegister.Frame, Scratch, 1);
        _code.StackAddress(BpfRegister.R3, Scratch);
        _code.Move(BpfRegister.R4, 0);
        _code.Call(Libc.BPF_FUNC_map_update_elem);
        _code.Jump(Next);
        _code.Mark(single);
        _code.Call(Libc.BPF_FUNC_map_lookup_elem);
        _code.JumpIf(Libc.BPF_JNE, BpfRegister.R0, 0, Next);
        _code.Mark(other);
    }

    /// <summary>R7 = the entry of the peer whose subnet has the address at a place on the stack; one that does not take the lane is the engine's.</summary>
    internal void FindPeer(int place)
    {
        bool isMixed = facts.Maps.PrefixLength == LaneMaps.Mixed;
        if (isMixed) _code.Store(Libc.BPF_W, BpfRegister.Frame, PrefixKey, 32);
        _code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.Frame, place);
        if (!isMixed) _code.Alu32(Libc.BPF_AND, BpfRegister.R1, Network32((uint)new Prefix(false, 0, facts.Maps.PrefixLength).Mask));
        _code.Store(Libc.BPF_W, BpfRegister.Frame, PrefixKey + 4, BpfRegister.R1);
        _code.MoveMap(BpfRegister.R1, facts.Maps.Peers.Number);
        _code.StackAddress(BpfRegister.R2, isMixed ? PrefixKey : PrefixKey + 4);
        _code.Call(Libc.BPF_FUNC_map_lookup_elem);
        _code.JumpIf(Libc.BPF_JEQ, BpfRegister.R0, 0, Next);
        _code.Move(BpfRegister.R7, BpfRegister.R0);
    }

    /// <summary>udp only: one hop less in the packet, with the checksum that goes with it (RFC 1624), as net/ip.h, ip_decrease_ttl, does it. Offset: of the inner packet.</summary>
    internal void DecrementTtl(int offset)
    {
        if (facts.IsVxlan) return;
        var noCarry = new BpfLabel();
        _code.Load(Libc.BPF_B, BpfRegister.R1, BpfRegister.Frame, Inner + 8);
        _code.Alu(Libc.BPF_SUB, BpfRegister.R1, 1);
        _code.Store(Libc.BPF_B, BpfRegister.Frame, Inner + 8, BpfRegister.R1);
        _code.Load(Libc.BPF_H, BpfRegister.R1, BpfRegister.Frame, Inner + 10);
        _code.Alu(Libc.BPF_ADD, BpfRegister.R1, Network16(0x0100));
        _code.JumpIf(Libc.BPF_JLT, BpfRegister.R1, 0xFFFF, noCarry);
        _code.Alu(Libc.BPF_ADD, BpfRegister.R1, 1);
        _code.Mark(noCarry);
        _code.Store(Libc.BPF_H, BpfRegister.Frame, Inner + 10, BpfRegister.R1);
        Write(offset + 8, Inner + 8, 4);
    }

    /// <summary>Adds the packet to the totals of a direction and to its endpoint.</summary>
    internal void Count(LaneDirection direction)
    {
        CountTotal(direction, (LaneMaps.Packets, BpfRegister.R9), (LaneMaps.Bytes, BpfRegister.R8));
        var done = new BpfLabel();
        _code.Load(Libc.BPF_W, BpfRegister.R1, BpfRegister.R7, LaneMaps.PeerSlot);
        Find(facts.Maps.Endpoints, done);
        int place = (int)direction * LaneMaps.EndpointDirectionSize;
        _code.AtomicAdd(BpfRegister.R0, place + LaneMaps.Packets, BpfRegister.R9);
        _code.AtomicAdd(BpfRegister.R0, place + LaneMaps.Bytes, BpfRegister.R8);
        _code.Mark(done);
    }

    /// <summary>The two ends that are not forwarding, with their verdicts.</summary>
    internal void End(LaneDirection direction, int pass = Libc.TCX_NEXT, int drop = Libc.TCX_DROP)
    {
        _code.Mark(Next);
        _code.Return(pass);
        if (!_code.IsUsed(Failed)) return;
        _code.Mark(Failed);
        CountTotal(direction, (LaneMaps.Failed, BpfRegister.R9));
        _code.Return(drop);
    }

    /// <summary>A number as 16 bits lie in memory in network order.</summary>
    internal static ushort Network16(ushort value) => BinaryPrimitives.ReverseEndianness(value);

    /// <summary>A number as 32 bits lie in memory in network order.</summary>
    internal static uint Network32(uint value) => BinaryPrimitives.ReverseEndianness(value);

    /// <summary>Each processor has an element of its own, or shares it with few others.</summary>
    private void CountTotal(LaneDirection direction, params ReadOnlySpan<(int Place, BpfRegister Value)> sums)
    {
        var done = new BpfLabel();
        _code.Call(Libc.BPF_FUNC_get_smp_processor_id);
        _code.Move(BpfRegister.R1, BpfRegister.R0);
        _code.Alu(Libc.BPF_AND, BpfRegister.R1, LaneMaps.TotalsOfDirection - 1);
        _code.Alu(Libc.BPF_ADD, BpfRegister.R1, (int)direction * LaneMaps.TotalsOfDirection);
        Find(facts.Maps.Totals, done);
        foreach ((int place, BpfRegister value) in sums) _code.AtomicAdd(BpfRegister.R0, place, value);
        _code.Mark(done);
    }

    /// <summary>R0 = the element of an array with the index in R1.</summary>
    private void Find(NativeFd map, BpfLabel orElse)
    {
        _code.Store(Libc.BPF_W, BpfRegister.Frame, Key, BpfRegister.R1);
        _code.MoveMap(BpfRegister.R1, map.Number);
        _code.StackAddress(BpfRegister.R2, Key);
        _code.Call(Libc.BPF_FUNC_map_lookup_elem);
        _code.JumpIf(Libc.BPF_JEQ, BpfRegister.R0, 0, orElse);
    }
}
