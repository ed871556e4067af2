using FlannelFast.Control.Subnets.Etcd.Grpc;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd.V3;

/// <summary>
/// The endpoints, of which one is used until it fails. A failed one is left alone for a while that grows. Where every one has failed, the one whose
/// time comes first is tried without waiting: how often to ask is for the caller to decide. Safe for concurrent use.
/// </summary>
internal sealed class EtcdChannelPool : IDisposable
{
    private readonly Slot[] _slots;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private int _current;

    /// <param name="channels">One for each endpoint; owned from here on.</param>
    /// <param name="time">Back-off.</param>
    /// <param name="random">Chooses the first endpoint, so that the hosts of a cluster spread over the members. Used under a lock.</param>
    /// <param name="log">Told when an endpoint begins to fail and when it works again.</param>
    internal EtcdChannelPool(IEnumerable<GrpcChannel> channels, TimeProvider time, Random random, ILogger log)
    {
        _slots = [.. channels.Select(channel => new Slot(channel))];
        _time = time;
        _random = random;
        _log = log;
        _current = random.Next(_slots.Length);
    }

    internal int Count => _slots.Length;

    public void Dispose()
    {
        foreach (Slot slot in _slots) slot.Channel.Dispose();
    }

    /// <summary>The channel to use now.</summary>
    internal GrpcChannel Pick()
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
            return _slots[best].Channel;
        }
    }

    /// <summary>The endpoint answered, be it with a refusal.</summary>
    internal void Succeeded(GrpcChannel channel)
    {
        lock (_lock)
        {
            Slot slot = Of(channel);
            if (slot.Failures == 0) return;
            slot.Failures = 0;
            slot.RetryAt = long.MinValue;
        }
        EtcdV3Log.EndpointWorks(_log, channel.Name);
    }

    /// <summary>The endpoint did not answer as it should.</summary>
    internal void Failed(GrpcChannel channel, GrpcException reason)
    {
        bool isFirst;
        lock (_lock)
        {
            Slot slot = Of(channel);
            isFirst = slot.Failures++ == 0;
            TimeSpan pause = BackOff.After(slot.Failures, _random);
            slot.RetryAt = _time.GetTimestamp() + (long)(pause.TotalSeconds * _time.TimestampFrequency);
        }
        if (isFirst) EtcdV3Log.EndpointFails(_log, channel.Name, reason.Detail);
    }

    private Slot Of(GrpcChannel channel) => Array.Find(_slots, slot => slot.Channel == channel)!;

    private sealed class Slot(GrpcChannel channel)
    {
        internal GrpcChannel Channel { get; } = channel;

        internal int Failures { get; set; }

        /// <summary>A timestamp of the time provider.</summary>
        internal long RetryAt { get; set; } = long.MinValue;
    }
}
