using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Peers;

/// <summary>Compares a table with its slow twin.</summary>
internal static class LookupComparison
{
    /// <summary>FLANNELFAST_LONG=1 asks for the runs that take minutes.</summary>
    internal static bool IsLong => Environment.GetEnvironmentVariable("FLANNELFAST_LONG") == "1";

    /// <summary>The first and the last address of every run: the address before, at both ends of, and after every subnet.</summary>
    internal static void CheckBoundaries(PeerTable table, SlowLookup.Run[] runs, bool ipv6)
    {
        foreach (SlowLookup.Run run in runs)
        {
            Check(table, ipv6, run.First, run.Peer);
            Check(table, ipv6, run.Last, run.Peer);
        }
    }

    /// <summary>Random addresses, every run of equal answers as likely as any other, so that the smallest subnets are hit too.</summary>
    internal static void CheckRandom(PeerTable table, SlowLookup.Run[] runs, bool ipv6, long lookups, ulong seed)
    {
        for (long i = 0; i < lookups; i++)
        {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            ulong dice = seed ^ seed >> 29;
            ref readonly SlowLookup.Run run = ref runs[(uint)(dice >> 32) % (uint)runs.Length];
            UInt128 offset = ipv6 ? new UInt128(dice * 0x9E3779B97F4A7C15, dice) : (uint)dice;
            UInt128 size = run.Last - run.First;
            // A 128-bit remainder costs more than the lookup: sizes of one word take the short way.
            UInt128 address = run.First + (size == UInt128.MaxValue ? offset
                : size < ulong.MaxValue ? (ulong)offset % ((ulong)size + 1) : offset % (size + 1));
            Check(table, ipv6, address, run.Peer);
        }
    }

    internal static void Check(PeerTable table, bool ipv6, UInt128 address, int expected)
    {
        int found = Find(table, ipv6, address);
        if (found != expected)
            throw new InvalidOperationException($"{SlowLookup.Address(ipv6, address)}: peer {expected} expected, {found} found");
    }

    internal static int Find(PeerTable table, bool ipv6, UInt128 address) => ipv6 ? table.Find(address) : table.Find((uint)address);
}
