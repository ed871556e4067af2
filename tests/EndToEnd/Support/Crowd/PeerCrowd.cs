using System.Diagnostics;

namespace FlannelFast.EndToEnd.Support.Crowd;

/// <summary>
/// Thousands of hosts of which only the leases exist, written as stock flannel writes them: each put with an etcd lease of its own. Their subnets are
/// 10.64.0.0/24 and following of a network 10.0.0.0/8.
/// </summary>
internal sealed class PeerCrowd
{
    private const int Parallelism = 32;

    /// <summary>So many have gone before the first comes back.</summary>
    private const int AwayAtOnce = 250;

    private static readonly TimeSpan s_timeToLive = TimeSpan.FromHours(24);

    private readonly EtcdGateway _etcd;
    private readonly string _backend;
    private readonly int _count;
    private readonly HashSet<int> _absent = [];
    private readonly Queue<int> _gone = [];
    private readonly int[] _versions;
    private int _turn;

    /// <param name="etcd">Where, not owned.</param>
    /// <param name="backend">Their BackendType as the network config has it.</param>
    /// <param name="count">How many there are at most, up to 32,768.</param>
    public PeerCrowd(EtcdGateway etcd, string backend, int count)
    {
        (_etcd, _backend, _count) = (etcd, backend, count);
        _versions = new int[count];
    }

    /// <summary>How many have a lease now.</summary>
    public int Present => _count - _absent.Count;

    /// <summary>"10.64.7.0/24".</summary>
    public static string Subnet(int peer) => $"10.{64 + (peer >> 8)}.{peer & 255}.0/24";

    /// <summary>Gives everybody a lease.</summary>
    public Task EnterAsync() =>
        Parallel.ForEachAsync(Enumerable.Range(0, _count), new ParallelOptions { MaxDegreeOfParallelism = Parallelism }, async (peer, _) => await PutAsync(peer));

    /// <summary>
    /// Changes leases at an even rate, in turns: a renewal, a host that comes back with another address, one that goes, one that comes.
    /// </summary>
    /// <returns>How long it took: more than was asked for where etcd or the machine cannot keep up.</returns>
    public async Task<TimeSpan> ChangeAsync(int perSecond, TimeSpan span)
    {
        long started = Stopwatch.GetTimestamp();
        int total = (int)(perSecond * span.TotalSeconds);
        using var slots = new SemaphoreSlim(Parallelism);
        // Nobody is changed again before hundreds of others are: order among those under way does not matter.
        var changes = new List<Task>(total);
        for (int i = 0; i < total; i++)
        {
            TimeSpan due = TimeSpan.FromSeconds((double)i / perSecond) - Stopwatch.GetElapsedTime(started);
            if (due > TimeSpan.FromMilliseconds(1)) await Task.Delay(due);
            await slots.WaitAsync();
            changes.Add(ReleaseAsync(NextChange()));
        }
        await Task.WhenAll(changes);
        return Stopwatch.GetElapsedTime(started);

        async Task ReleaseAsync(Task change)
        {
            await change;
            slots.Release();
        }
    }

    private Task NextChange()
    {
        // 7 has no factor in common with the counts in use: everybody has a turn.
        int turn = _turn++, peer = (int)((long)turn * 7 % _count);
        switch (turn % 4)
        {
            case 1:
                _versions[peer]++;
                break;
            case 2 when _absent.Add(peer):
                _gone.Enqueue(peer);
                return _etcd.DeleteAsync(Key(peer));
            case 3 when _gone.Count > AwayAtOnce:
                peer = _gone.Dequeue();
                break;
        }
        _absent.Remove(peer);
        return PutAsync(peer);
    }

    private async Task PutAsync(int peer) => await _etcd.PutAsync(Key(peer), Value(peer), await _etcd.GrantAsync(s_timeToLive));

    private static string Key(int peer) => $"/coreos.com/network/subnets/{Subnet(peer).Replace('/', '-')}";

    /// <summary>Byte for byte as stock 0.20 writes it.</summary>
    private string Value(int peer)
    {
        int version = _versions[peer];
        string address = $"172.{16 + (version & 7)}.{peer >> 8}.{peer & 255}";
        string type = _backend switch
        {
            "udp" => "",
            "vxlan" => $$""","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:{{version & 255:x2}}:00:{{peer >> 8:x2}}:{{peer & 255:x2}}"}""",
            _ => $",\"BackendType\":\"{_backend}\"",
        };
        return $$"""{"PublicIP":"{{address}}","PublicIPv6":null{{type}}}""";
    }
}
