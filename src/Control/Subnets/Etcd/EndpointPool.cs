using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>
/// The endpoints, of which one is used until it fails. A failed one is left alone for a while that grows. Where every one has failed, the one whose
/// time comes first is tried without waiting: how often to ask is for the caller to decide. Safe for concurrent use.
/// </summary>
/// <typeparam name="T">What an endpoint is used by: a channel, or its address.</typeparam>
internal sealed class EndpointPool<T> : IDisposable
{
    private readonly Slot[] _slots;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private int _current;

    /// <param name="endpoints">At least one, with the name of each for the log. Those that can be disposed of are owned from here on.</param>
    /// <param name="time">Back-off.</param>
    /// <param name="random">Chooses the first endpoint, so that the hosts of a cluster spread over the members. Used under a lock.</param>
    /// <param name="log">Told when an endpoint begins to fail and when it works again.</param>
    internal EndpointPool(IEnumerable<(T Endpoint, string Name)> endpoints, TimeProvider time, Random random, ILogger log)
    {
        _slots = [.. endpoints.Select(endpoint => new Slot(endpoint.Endpoint, endpoint.Name))];
        _time = time;
        _random = random;
        _log = log;
        _current = random.Next(_slots.Length);
    }

    internal int Count => _slots.Length;

    public void Dispose()
    {
        foreach (Slot slot in _slots) (slot.Endpoint as IDisposable)?.Dispose();
    }

    /// <summary>The endpoint to use now.</summary>
    internal T Pick()
    {
        lock (_lock)
        {
            long now = _time.GetTimestamp();
            int best = _current;
            for (int i = 0; i < _slots.Length; i++)
            {
                int candidate = (_current + i) % _slots.Length;
                if (_slots[candidate].RetryAt <= now)
                {
                    best = candidate;
                    break;
                }
                if (_slots[candidate].RetryAt < _slots[best].RetryAt) best = candidate;
            }
            _current = best;
            return _slots[best].Endpoint;
        }
    }

    /// <summary>The endpoint answered, be it with a refusal.</summary>
    internal void Succeeded(T endpoint)
    {
        Slot slot = Of(endpoint);
        lock (_lock)
        {
            slot.Failures = 0;
            slot.RetryAt = long.MinValue;
            if (!slot.IsReported) return;
            slot.IsReported = false;
        }
        EtcdLog.EndpointWorks(_log, slot.Name);
    }

    /// <summary>The endpoint did not answer as it should.</summary>
    /// <param name="endpoint">Which.</param>
    /// <param name="reason">One line without its name; null for what is not worth a line.</param>
    internal void Failed(T endpoint, string? reason)
    {
        Slot slot = Of(endpoint);
        bool isFirst;
        lock (_lock)
        {
            isFirst = reason is not null && !slot.IsReported;
            slot.IsReported |= isFirst;
            TimeSpan pause = BackOff.After(++slot.Failures, _random);
            slot.RetryAt = _time.GetTimestamp() + (long)(pause.TotalSeconds * _time.TimestampFrequency);
        }
        if (isFirst) EtcdLog.EndpointFails(_log, slot.Name, reason!);
    }

    private Slot Of(T endpoint) => Array.Find(_slots, slot => EqualityComparer<T>.Default.Equals(slot.Endpoint, endpoint))!;

    private sealed class Slot(T endpoint, string name)
    {
        internal T Endpoint { get; } = endpoint;

        internal string Name { get; } = name;

        internal int Failures { get; set; }

        /// <summary>The log says that it fails.</summary>
        internal bool IsReported { get; set; }

        /// <summary>A timestamp of the time provider.</summary>
        internal long RetryAt { get; set; } = long.MinValue;
    }
}
