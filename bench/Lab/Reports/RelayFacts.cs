using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Reports;

/// <summary>The lab's own relay, measured before the contenders were started.</summary>
/// <param name="RoundTripMs">Round trip without any overlay: the delay asked for, twice, and what the relay adds. Median, or with reordering the 90th percentile.</param>
/// <param name="Gbps">What it carries of datagrams that fill the MTU. A contender that comes near it measures the relay.</param>
/// <param name="Kpps">What it carries of datagrams of 64 bytes.</param>
/// <param name="Frames">What it did over the whole run; null if that was interrupted.</param>
internal sealed record RelayFacts(double RoundTripMs, double Gbps, double Kpps, RelayResult? Frames);
