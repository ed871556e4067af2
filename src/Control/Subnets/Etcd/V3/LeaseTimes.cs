using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3.Messages;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd.V3;

/// <summary>
/// When etcd's leases end. Flannel never keeps a lease alive but takes a new one each time, so an end once read stays right, and periodic lists need not
/// ask again: 5,000 hosts that list 5,000 leases once a minute would ask 400,000 times a second. A lease that others keep alive is asked for again
/// when its known end has come. Safe for concurrent use.
/// </summary>
internal sealed class LeaseTimes(EtcdV3Client client, TimeProvider time, ILogger log)
{
    /// <summary>
    /// How many questions are under way at once; etcd has no call for several leases. 2,000 take 0.35 s this way on two cores that etcd shares (EtcdV3RegistryTests).
    /// </summary>
    private const int Parallelism = 64;

    /// <summary>After so many failures the rest is not asked for.</summary>
    private const int MaxFailures = 3;

    private readonly Lock _lock = new();

    /// <summary>Lease to the timestamp of its end.</summary>
    private Dictionary<long, long> _ends = [];

    /// <summary>What is left of a lease, 0 where it is over; null if that is not known, or for lease 0, which is none.</summary>
    internal TimeSpan? Remaining(long lease)
    {
        lock (_lock)
        {
            if (!_ends.TryGetValue(lease, out long end)) return null;
            long now = time.GetTimestamp();
            return end > now ? time.GetElapsedTime(now, end) : TimeSpan.Zero;
        }
    }

    /// <summary>Notes what etcd said of a lease.</summary>
    /// <param name="lease">Its answer.</param>
    /// <param name="asked">Timestamp of the question, so that the end is rather too early than too late.</param>
    internal void Set(LeaseResponse lease, long asked)
    {
        lock (_lock) _ends[lease.Id] = asked + (long)(Math.Max(0, (double)lease.TimeToLive) * time.TimestampFrequency);
    }

    /// <summary>Asks for the leases of a list that are not known, and forgets all that are not in it. A question that fails leaves its lease unknown.</summary>
    internal async Task ReadAsync(IReadOnlyList<KeyValue> keys, CancellationToken cancel)
    {
        HashSet<long> unknown = Retain(keys);
        if (unknown.Count == 0) return;
        using CancellationTokenSource expiry = new(client.Timeout, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        GrpcException? failure = null;
        int failures = 0, answers = 0;
        try
        {
            await Parallel.ForEachAsync(unknown, new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = stop.Token }, async (lease, token) =>
            {
                try
                {
                    await AskAsync(lease, token).ConfigureAwait(false);
                    Interlocked.Increment(ref answers);
                }
                catch (GrpcException e)
                {
                    failure = e;
                    if (Interlocked.Increment(ref failures) == MaxFailures) await stop.CancelAsync().ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // Out of time, or too many failures: what is known by now is used.
        }
        if (answers < unknown.Count) EtcdV3Log.TimeToLiveUnknown(log, unknown.Count - answers, unknown.Count, failure?.Message ?? "out of time");
    }

    /// <summary>Asks for one lease, also if it is known: who reads a single key wants to be sure.</summary>
    internal async Task ReadAgainAsync(long lease, CancellationToken cancel)
    {
        if (lease == 0) return;
        lock (_lock) _ends.Remove(lease);
        try
        {
            await AskAsync(lease, cancel).ConfigureAwait(false);
        }
        catch (GrpcException e)
        {
            EtcdV3Log.TimeToLiveUnknown(log, 1, 1, e.Message);
        }
    }

    private async Task AskAsync(long lease, CancellationToken cancel)
    {
        long asked = time.GetTimestamp();
        Set(await client.TimeToLiveAsync(lease, cancel).ConfigureAwait(false), asked);
    }

    /// <summary>Keeps the leases of these keys and of no others. Returns those whose end is not known, or has come.</summary>
    private HashSet<long> Retain(IReadOnlyList<KeyValue> keys)
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            HashSet<long> unknown = [];
            Dictionary<long, long> kept = [];
            foreach (KeyValue key in keys)
            {
                if (key.Lease == 0) continue;
                if (_ends.TryGetValue(key.Lease, out long end) && end > now) kept[key.Lease] = end;
                else unknown.Add(key.Lease);
            }
            _ends = kept;
            return unknown;
        }
    }
}
