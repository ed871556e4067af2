using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Statistics;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Workloads;

/// <summary>Binary search of the highest rate with at most 0.1 % loss, all senders together (RFC 2544, section 26.1).</summary>
internal static class UdpRateWorkload
{
    internal static async Task<Outcome> RunAsync(TrafficEnds ends, WorkloadSpec spec)
    {
        // Everything that arrived counts for the CPU figures, which are over the whole search.
        var all = new List<UdpSourceResult>();
        using Agents.Sink sink = await ends.ListenAsync("udp-sink").ConfigureAwait(false);
        // Nothing above what a flood sends can be asked for; far below what arrives of it nothing needs to be searched.
        UdpSourceResult[] flood = await MeasureAsync(null).ConfigureAwait(false);
        long highest = (long)flood.Sum(r => r.SentPps);
        var search = new RateSearch
        {
            Highest = highest,
            Lowest = Math.Clamp((long)(flood.Sum(r => r.DeliveredPps) / 20), 1, highest),
            // The rounds of the run repeat the whole search.
            Confirmations = 1,
            MaxTrials = 16,
        };
        RateSearchResult found = await Task.Run(() => search.Run(rate => TrialAsync(rate).GetAwaiter().GetResult()), ends.Cancel).ConfigureAwait(false);
        if (found.Rate == 0) throw new LabException($"even {search.Lowest} packets per second lose more than {search.MaxLoss:P1}");
        var values = new Dictionary<string, double>();
        values.AddDelivery(all);
        // Loss over a search says how often it went too far, not how good the path is.
        values.Remove(MeasureInfo.Loss);
        values[MeasureInfo.LosslessRate] = found.Rate / 1000.0;
        return new(values, all.Sum(r => r.Bytes()), all.Sum(r => r.Delivered), null);

        async Task<double> TrialAsync(long rate)
        {
            UdpSourceResult[] results = await MeasureAsync(rate).ConfigureAwait(false);
            // A sender that fell behind has not tried the rate.
            bool fellBehind = results.Sum(r => r.SentPps) < rate * (1 - search.Resolution);
            return fellBehind ? 1 : results.Sum(r => r.Lost) / Math.Max(1.0, results.Sum(r => r.Sent));
        }

        async Task<UdpSourceResult[]> MeasureAsync(long? rate)
        {
            long? each = rate is { } pps ? Math.Max(1, pps / ends.Senders.Length) : null;
            UdpSourceResult[] results = await Task.WhenAll(ends.Senders.Select(s => ends.UdpAsync(s, sink, spec.Size, spec.Seconds, each))).ConfigureAwait(false);
            all.AddRange(results);
            return results;
        }
    }
}
