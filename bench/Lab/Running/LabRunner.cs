using System.Diagnostics;
using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Scenarios;
using FlannelFast.Lab.Topologies;
using FlannelFast.Lab.Workloads;

namespace FlannelFast.Lab.Running;

/// <summary>
/// Runs a scenario: all contenders are up at the same time, and every round visits all of them with every workload, so that a
/// change of the machine's mood hits all alike.
/// </summary>
internal sealed class LabRunner(Scenario scenario, ProgramFacts program, ILabProgress progress)
{
    // A contender that failed twice at a workload is not asked a third time.
    private const int FailuresAllowed = 2;

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly List<Measurement> _measurements = [];
    private readonly List<FailedMeasurement> _failures = [];
    private readonly HashSet<WorkloadSpec> _precise = [];

    private double Elapsed => Stopwatch.GetElapsedTime(_started).TotalSeconds;

    /// <summary>Runs it, and leaves nothing behind, however it ends.</summary>
    /// <exception cref="LabException">It cannot be run, or payload does not arrive intact.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    internal async Task<LabReport> RunAsync(CancellationToken cancel)
    {
        DateTimeOffset date = DateTimeOffset.UtcNow;
        MachineFacts machine = MachineFacts.Read();
        foreach (ContenderSpec spec in scenario.Contenders)
        {
            if (spec.Kind is ContenderKind.Udp or ContenderKind.Vxlan) new EngineContender(spec, 0, "").Check();
        }
        using LabState state = await LabState.AcquireAsync(progress.Notice, cancel).ConfigureAwait(false);
        var contenders = new List<Contender>();
        try
        {
            progress.Doing($"making {scenario.Topology}, {scenario.Underlay.Setting}, MTU {scenario.Underlay.Mtu}");
            Topology topology = Topology.Create(state, scenario.Topology, scenario.Underlay);
            foreach (ContenderSpec spec in scenario.Contenders)
            {
                progress.Doing($"starting {spec.Name}");
                contenders.Add(Contender.Create(spec, contenders.Count, state.Directory));
                await contenders[^1].StartAsync(topology, cancel).ConfigureAwait(false);
            }
            var runner = new WorkloadRunner(topology);
            List<ContenderFacts> facts = await ValidateAsync(runner, contenders, cancel).ConfigureAwait(false);
            await MeasureAsync(runner, contenders, cancel).ConfigureAwait(false);
            return Report(date, machine, facts);
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            // Ctrl-C reaches the children too, and what they complain about is only its consequence.
            throw new OperationCanceledException(cancel);
        }
        finally
        {
            foreach (Contender contender in contenders) contender.Dispose();
        }
    }

    private async Task<List<ContenderFacts>> ValidateAsync(WorkloadRunner runner, List<Contender> contenders, CancellationToken cancel)
    {
        var facts = new List<ContenderFacts>();
        foreach (Contender contender in contenders)
        {
            progress.Doing($"checking by hash that payload arrives intact: {contender.Name}");
            try
            {
                long bytes = await runner.ValidateAsync(contender, cancel).ConfigureAwait(false);
                facts.Add(new(contender.Name, contender.Spec.Template?.Text, contender.Spec.Binary, bytes));
            }
            catch (LabException e)
            {
                throw new LabException($"contender {contender.Name} does not carry payload intact, nothing was measured: {e.Message}");
            }
        }
        progress.Notice($"payload arrives intact over TCP and UDP: {string.Join(", ", contenders.Select(c => c.Name))}");
        return facts;
    }

    private async Task MeasureAsync(WorkloadRunner runner, List<Contender> contenders, CancellationToken cancel)
    {
        double longest = 0;
        for (int round = 1; round <= scenario.MaxRounds; round++)
        {
            double began = Elapsed;
            // The first round is always done: without it there would be no result at all.
            if (round > 1 && began + longest > scenario.TimeLimit) break;
            foreach (WorkloadSpec workload in scenario.Workloads.Where(w => !_precise.Contains(w)))
            {
                for (int i = 0; i < contenders.Count; i++)
                {
                    // Another one begins each round: who comes after the most demanding one finds a warmer machine.
                    Contender contender = contenders[(i + round - 1) % contenders.Count];
                    if (_failures.Count(f => f.Workload == workload.Id && f.Contender == contender.Name) >= FailuresAllowed) continue;
                    await MeasureOnceAsync(runner, workload, contender, round, cancel).ConfigureAwait(false);
                }
                if (round >= scenario.MinRounds && IsPrecise(workload)) _precise.Add(workload);
            }
            longest = Math.Max(longest, Elapsed - began);
            if (_precise.Count == scenario.Workloads.Count) break;
        }
    }

    private async Task MeasureOnceAsync(WorkloadRunner runner, WorkloadSpec workload, Contender contender, int round, CancellationToken cancel)
    {
        progress.Doing($"round {round}: {workload.Id}, {contender.Name}");
        try
        {
            IReadOnlyList<int> daemons = contender.Daemons;
            IReadOnlyDictionary<string, long> dropsBefore = contender.Drops();
            double began = Elapsed;
            MachineUsage before = MachineUsage.Read(daemons);
            Outcome outcome = await runner.RunAsync(workload, contender, cancel).ConfigureAwait(false);
            MachineUsage used = MachineUsage.Read(daemons) - before;
            var measurement = new Measurement
            {
                Workload = workload.Id,
                Contender = contender.Name,
                Round = round,
                AtSeconds = Math.Round(began, 3),
                DurationSeconds = Math.Round(Elapsed - began, 3),
                Values = WithCpu(outcome, used, hasDaemons: daemons.Count > 0),
                Bytes = outcome.Bytes,
                Packets = outcome.Packets,
                DaemonCpuSeconds = Math.Round(used.DaemonSeconds, 2),
                MachineCpuSeconds = Math.Round(used.MachineSeconds, 2),
                DaemonContextSwitches = used.DaemonSwitches,
                MachineContextSwitches = used.MachineSwitches,
                Drops = contender.Drops()
                    .Select(d => KeyValuePair.Create(d.Key, d.Value - dropsBefore.GetValueOrDefault(d.Key)))
                    .Where(d => d.Value != 0).ToDictionary(),
                Congestion = outcome.Congestion,
            };
            _measurements.Add(measurement);
            progress.Measured(measurement);
        }
        catch (LabException e) when (!cancel.IsCancellationRequested)
        {
            var failure = new FailedMeasurement(workload.Id, contender.Name, round, e.Message);
            _failures.Add(failure);
            progress.Failed(failure);
        }
    }

    private static Dictionary<string, double> WithCpu(Outcome outcome, MachineUsage used, bool hasDaemons)
    {
        var values = new Dictionary<string, double>(outcome.Values);
        // A little traffic would make a large and meaningless quotient.
        const double LeastGb = 0.01, LeastMpackets = 0.001;
        (double gb, double mpackets) = (outcome.Bytes / 1e9, outcome.Packets / 1e6);
        if (outcome.Packets == 0 && gb >= LeastGb)
        {
            values[MeasureInfo.MachineCpuPerGb] = used.MachineSeconds / gb;
            if (hasDaemons) values[MeasureInfo.DaemonCpuPerGb] = used.DaemonSeconds / gb;
        }
        if (mpackets >= LeastMpackets)
        {
            values[MeasureInfo.MachineCpuPerMpackets] = used.MachineSeconds / mpackets;
            if (hasDaemons) values[MeasureInfo.DaemonCpuPerMpackets] = used.DaemonSeconds / mpackets;
        }
        return values;
    }

    private bool IsPrecise(WorkloadSpec workload)
    {
        IReadOnlyList<Summary> summaries = Summarizer.Summarize(
            [.. _measurements.Where(m => m.Workload == workload.Id)], scenario.Baseline);
        Summary[] deciding = [.. summaries.Where(s => MeasureInfo.Find(s.Measure)!.IsHeadline && s.Contender != scenario.Baseline)];
        return deciding.All(s => (s.Ratio ?? s.Value).IsWithin(scenario.PrecisionPercent));
    }

    private LabReport Report(DateTimeOffset date, MachineFacts machine, List<ContenderFacts> contenders) => new()
    {
        Date = date,
        DurationSeconds = Math.Round(Elapsed, 1),
        Program = program,
        Machine = machine,
        Scenario = new(
            scenario.Name, scenario.Topology.ToString(), scenario.Underlay.Setting, scenario.Underlay.Mtu, scenario.Underlay.LossPercent,
            scenario.Baseline, scenario.PrecisionPercent),
        Contenders = contenders,
        Workloads = [.. scenario.Workloads.Select(w => new WorkloadFacts(w.Id, w.Title, w.Seconds, _precise.Contains(w)))],
        Summaries = Summarizer.Summarize(_measurements, scenario.Baseline),
        Measurements = _measurements,
        Failures = _failures,
    };
}
