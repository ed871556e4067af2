using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Backends.Engine;

/// <summary>The order of peers by subnet, and what changed between two lists in that order.</summary>
internal static class PeerOrder
{
    /// <summary>IPv4 before IPv6, then by address, shorter prefixes first.</summary>
    internal static int Compare(Prefix a, Prefix b)
    {
        int byFamily = a.IsIpv6.CompareTo(b.IsIpv6);
        if (byFamily != 0) return byFamily;
        int byAddress = a.First.CompareTo(b.First);
        return byAddress != 0 ? byAddress : a.Length.CompareTo(b.Length);
    }

    /// <summary>Brings peers into order.</summary>
    internal static void Sort(List<Peer> peers) => peers.Sort(static (a, b) => Compare(Prefix.From(a.Subnet), Prefix.From(b.Subnet)));

    /// <summary>One phrase for each peer that is new, other or gone.</summary>
    /// <param name="before">In order.</param>
    /// <param name="now">In order.</param>
    /// <param name="changes">Receives the phrases.</param>
    internal static void Compare(IReadOnlyList<Peer> before, IReadOnlyList<Peer> now, List<string> changes)
    {
        int i = 0, j = 0;
        while (i < before.Count || j < now.Count)
        {
            int order = i == before.Count ? 1 : j == now.Count ? -1
                : ReferenceEquals(before[i], now[j]) ? 0 : Compare(Prefix.From(before[i].Subnet), Prefix.From(now[j].Subnet));
            if (order < 0) changes.Add($"{before[i++].Subnet} removed");
            else if (order > 0) changes.Add(Describe(now[j++]));
            else if (!before[i++].Equals(now[j++])) changes.Add(Describe(now[j - 1]));
        }
    }

    private static string Describe(Peer peer) => peer.VtepMac.IsZero ? $"{peer.Subnet} at {peer.PublicIP}" : $"{peer.Subnet} at {peer.PublicIP}, {peer.VtepMac}";
}
