using System.Runtime.CompilerServices;

namespace FlannelFast.Dataplane.Peers;

/// <summary>
/// IPv4 longest-prefix match over any mixture of lengths: a trie of 16, 8 and 8 bits, so at most three dependent loads, however
/// many peers there are. Prefixes are pushed down to the leaves when it is built, so a lookup never backtracks.
/// Blocks of 256 are stored from their first to their last slot that differs from the rest, plus one slot for the rest: scattered
/// hosts and small subnets cost bytes, not kilobytes. The root is 512 KiB; each /16 in which subnets longer than /16 lie costs at
/// most 2 KiB, each /24 in which longer ones lie 1 KiB.
/// </summary>
internal sealed class Ipv4Trie
{
    // A node is a leaf (peer + 1, or 0) or, with the top bit set, a block: position of its slots, first slot kept, number kept - 1.
    private const ulong Block = 1UL << 63;
    private const int FirstShift = 40;
    private const int SpanShift = 32;

    private readonly ulong[] _root;
    private readonly ulong[] _middle;
    private readonly int[] _bottom;

    private Ipv4Trie(ulong[] root, ulong[] middle, int[] bottom) => (_root, _middle, _bottom) = (root, middle, bottom);

    /// <summary>Bytes of all arrays.</summary>
    internal long Bytes => 8L * (_root.Length + _middle.Length) + 4L * _bottom.Length;

    /// <summary>Makes the trie. Routes must be distinct subnets.</summary>
    internal static Ipv4Trie Build(ReadOnlySpan<Ipv4Route> routes) => new Builder(Ipv4Range.Flatten(routes)).Build();

    /// <summary>The peer with the longest prefix that contains a destination in host order, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Find(uint destination)
    {
        ulong node = _root[destination >> 16];
        if ((long)node < 0)
        {
            node = _middle[Position(node, (byte)(destination >> 8))];
            if ((long)node < 0) return _bottom[Position(node, (byte)destination)] - 1;
        }
        return (int)node - 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Position(ulong node, uint slot)
    {
        uint kept = slot - (byte)(node >> FirstShift);
        return (int)(uint)node + (kept <= (byte)(node >> SpanShift) ? (int)kept + 1 : 0);
    }

    /// <summary>Walks the runs of addresses in ascending order, twice: to learn the exact size of the arrays, then to fill them.</summary>
    private sealed class Builder(List<Ipv4Range> ranges)
    {
        private readonly ulong[] _root = new ulong[1 << 16];
        private readonly Store<ulong> _middle = new();
        private readonly Store<int> _bottom = new();
        private int _range;

        private ulong Leaf => (uint)ranges[_range].PeerPlusOne;

        internal Ipv4Trie Build()
        {
            Walk();
            _middle.Allocate();
            _bottom.Allocate();
            _range = 0;
            Walk();
            return new(_root, _middle.Stored, _bottom.Stored);
        }

        private void Walk()
        {
            for (uint i = 0; i < _root.Length; i++)
            {
                uint first = i << 16;
                _root[i] = IsUniform(first, first | 0xFFFF) ? Leaf : Middle(first);
            }
        }

        private ulong Middle(uint block)
        {
            for (uint i = 0; i < 256; i++)
            {
                uint first = block | i << 8;
                _middle.Slots[i] = IsUniform(first, first | 0xFF) ? Leaf : Bottom(first);
            }
            return _middle.Append();
        }

        private ulong Bottom(uint block)
        {
            uint last = block | 0xFF;
            for (uint first = block; ;)
            {
                bool toTheEnd = IsUniform(first, last);
                uint next = toTheEnd ? last + 1 : ranges[_range + 1].First;
                _bottom.Slots.AsSpan((byte)first, (int)(next - first)).Fill(ranges[_range].PeerPlusOne);
                if (toTheEnd) return _bottom.Append();
                first = next;
            }
        }

        /// <summary>Moves on to the run that <paramref name="first"/> lies in; addresses are asked for in ascending order.</summary>
        private bool IsUniform(uint first, uint last)
        {
            while (_range + 1 < ranges.Count && ranges[_range + 1].First <= first) _range++;
            return _range + 1 == ranges.Count || ranges[_range + 1].First > last;
        }
    }

    /// <summary>The blocks of one level: counted until <see cref="Allocate"/>, stored afterwards.</summary>
    private sealed class Store<T> where T : unmanaged, IEquatable<T>
    {
        private int _count;

        /// <summary>The block being made.</summary>
        internal T[] Slots { get; } = new T[256];

        internal T[] Stored { get; private set; } = [];

        internal void Allocate()
        {
            Stored = new T[_count];
            _count = 0;
        }

        /// <summary>Keeps a slot for the rest and the slots that differ from it; the rest is what fills the longer margin, or both.</summary>
        internal ulong Append()
        {
            ReadOnlySpan<T> slots = Slots;
            int first = slots.IndexOfAnyExcept(slots[0]);
            int last = slots.LastIndexOfAnyExcept(slots[^1]);
            T rest = slots[0];
            if (!rest.Equals(slots[^1]))
            {
                bool leading = first >= slots.Length - 1 - last;
                if (leading) last = slots.Length - 1;
                else (rest, first) = (slots[^1], 0);
            }
            if (Stored.Length > 0)
            {
                Stored[_count] = rest;
                slots[first..(last + 1)].CopyTo(Stored.AsSpan(_count + 1));
            }
            ulong node = Block | (ulong)first << FirstShift | (ulong)(last - first) << SpanShift | (uint)_count;
            _count += last - first + 2;
            return node;
        }
    }
}
