using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// By which link each peer's host is reached. Asks the kernel about a part of them at a time, and again only when something says that the answer may be
/// another. One thread, except <see cref="Doubt"/> and <see cref="DoubtAll"/>.
/// </summary>
/// <param name="findLinks">As <see cref="IExpressHost.FindLinks"/>.</param>
internal sealed class ExpressEndpoints(Func<IReadOnlyList<IPAddress>, int[]> findLinks)
{
    /// <summary>Questions at a time: a few milliseconds, for which other threads wait when they want the same socket.</summary>
    internal const int ChunkSize = 1024;

    /// <summary>More doubtful networks than this at once are a new routing table: everything is asked again.</summary>
    private const int MaxDoubts = 64;

    /// <summary>Not asked yet.</summary>
    private const int Unknown = -1;

    private readonly Dictionary<IPAddress, int> _links = [];

    // Endpoints of _links, each once: what comes and goes all the time must not make the list longer than the questions can be asked.
    private readonly List<IPAddress> _pending = [];
    private readonly Lock _lock = new();
    private readonly List<IPNetwork> _doubts = [];
    private IReadOnlyList<Peer>? _peers;
    private bool _doubtAll;
    private volatile uint[] _sorted = [];

    /// <summary>Nothing is left to be asked.</summary>
    internal bool IsComplete => _pending.Count == 0;

    /// <summary>Some answer, or the set of endpoints, has changed since <see cref="Over"/> was last called.</summary>
    internal bool HasChanged { get; private set; } = true;

    /// <summary>A route to a network came or went. Any thread; quick however many endpoints there are.</summary>
    /// <returns>True if endpoints lie in it.</returns>
    internal bool Doubt(IPNetwork network)
    {
        if (network.BaseAddress.AddressFamily != AddressFamily.InterNetwork) return false;
        uint first = ToNumber(network.BaseAddress);
        // C# shifts by the lowest five bits only.
        uint last = first | (network.PrefixLength == 32 ? 0 : uint.MaxValue >> network.PrefixLength);
        uint[] sorted = _sorted;
        int place = Array.BinarySearch(sorted, first);
        if (place < 0) place = ~place;
        if (place == sorted.Length || sorted[place] > last) return false;
        lock (_lock)
        {
            if (_doubts.Count >= MaxDoubts) _doubtAll = true;
            else if (!_doubts.Contains(network)) _doubts.Add(network);
        }
        return true;
    }

    /// <summary>Any answer may be another by now. Any thread.</summary>
    internal void DoubtAll()
    {
        lock (_lock) _doubtAll = true;
    }

    /// <summary>Takes over the peers and the doubts; asks nothing yet.</summary>
    internal void Follow(IReadOnlyList<Peer> peers)
    {
        // The engine makes a new list with every change.
        if (!ReferenceEquals(peers, _peers)) TakeOver(peers);
        bool all;
        IPNetwork[] doubts;
        lock (_lock)
        {
            (all, doubts) = (_doubtAll, [.. _doubts]);
            _doubtAll = false;
            _doubts.Clear();
        }
        if (all)
        {
            _pending.Clear();
            _pending.AddRange(_links.Keys);
        }
        else if (doubts.Length > 0)
        {
            HashSet<IPAddress> doubtful = [];
            foreach (IPAddress endpoint in _links.Keys)
            {
                if (Array.Exists(doubts, network => network.Contains(endpoint))) doubtful.Add(endpoint);
            }
            // Behind the others, and so the first to be asked.
            _pending.RemoveAll(doubtful.Contains);
            _pending.AddRange(doubtful);
        }
    }

    /// <summary>Forgets every answer: the underlay is another.</summary>
    internal void Forget()
    {
        foreach (IPAddress endpoint in _links.Keys) _links[endpoint] = Unknown;
        HasChanged = true;
        DoubtAll();
    }

    /// <summary>Asks about the next of those that are waiting.</summary>
    /// <param name="link">The underlay.</param>
    /// <returns>True if one that was reached by <paramref name="link"/> is not any more.</returns>
    /// <exception cref="IOException">The kernel refused; they go on waiting.</exception>
    internal bool AskNext(int link)
    {
        int start = Math.Max(0, _pending.Count - ChunkSize);
        List<IPAddress> chunk = _pending.GetRange(start, _pending.Count - start);
        int[] found = findLinks(chunk);
        _pending.RemoveRange(start, chunk.Count);
        bool hasLeft = false;
        for (int i = 0; i < found.Length; i++)
        {
            // A peer that is gone by now.
            if (!_links.TryGetValue(chunk[i], out int before) || before == found[i]) continue;
            _links[chunk[i]] = found[i];
            HasChanged = true;
            hasLeft |= before == link;
        }
        return hasLeft;
    }

    /// <summary>The endpoints that are known to be reached by a link: a new set.</summary>
    internal HashSet<IPAddress> Over(int link)
    {
        HasChanged = false;
        HashSet<IPAddress> over = [];
        foreach ((IPAddress endpoint, int found) in _links)
        {
            if (found == link) over.Add(endpoint);
        }
        return over;
    }

    private void TakeOver(IReadOnlyList<Peer> peers)
    {
        _peers = peers;
        HashSet<IPAddress> wanted = [];
        foreach (Peer peer in peers)
        {
            if (peer.PublicIP.AddressFamily != AddressFamily.InterNetwork || !wanted.Add(peer.PublicIP)) continue;
            if (!_links.TryAdd(peer.PublicIP, Unknown)) continue;
            _pending.Add(peer.PublicIP);
            HasChanged = true;
        }
        foreach (IPAddress known in _links.Keys)
        {
            if (wanted.Contains(known)) continue;
            _links.Remove(known);
            HasChanged = true;
        }
        _pending.RemoveAll(endpoint => !_links.ContainsKey(endpoint));
        uint[] sorted = new uint[_links.Count];
        int count = 0;
        foreach (IPAddress endpoint in _links.Keys) sorted[count++] = ToNumber(endpoint);
        Array.Sort(sorted);
        _sorted = sorted;
    }

    private static uint ToNumber(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }
}
