namespace FlannelFast.Lab.Reports;

/// <summary>One workload on one contender in one round: the raw material of everything else.</summary>
internal sealed record Measurement
{
    public required string Workload { get; init; }

    public required string Contender { get; init; }

    /// <summary>From 1.</summary>
    public required int Round { get; init; }

    /// <summary>When it began, seconds since the start of the run.</summary>
    public required double AtSeconds { get; init; }

    /// <summary>How long it took, with starting and ending of the programs.</summary>
    public required double DurationSeconds { get; init; }

    /// <summary>By <see cref="MeasureInfo.Name"/>.</summary>
    public required IReadOnlyDictionary<string, double> Values { get; init; }

    /// <summary>Payload bytes that arrived, both directions together.</summary>
    public required long Bytes { get; init; }

    /// <summary>Datagrams that arrived; 0 with TCP.</summary>
    public required long Packets { get; init; }

    /// <summary>Processor time of the contender's daemons, user and kernel, seconds.</summary>
    public required double DaemonCpuSeconds { get; init; }

    /// <summary>Processor time of the whole machine, without idle, seconds.</summary>
    public required double MachineCpuSeconds { get; init; }

    /// <summary>Of the daemons' threads.</summary>
    public required long DaemonContextSwitches { get; init; }

    /// <summary>Of the whole machine.</summary>
    public required long MachineContextSwitches { get; init; }

    /// <summary>Packets dropped meanwhile, by direction and reason; those that are not zero.</summary>
    public required IReadOnlyDictionary<string, long> Drops { get; init; }

    /// <summary>How values went over the measurement; empty for most workloads.</summary>
    // A file of an earlier version has none, and generated deserializers then set null.
    public IReadOnlyList<Series> Series { get; init => field = value ?? []; } = [];

    /// <summary>GB/s of one core writing memory that another has just read, immediately before; null where that could not be measured.</summary>
    public double? CoreCopyGbPerSecond { get; init; }

    /// <summary>Congestion control as the kernel read it back; null without TCP.</summary>
    public string? Congestion { get; init; }
}
