using System.Diagnostics;
using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Hosting;
using FlannelFast.Lab.Profiling;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Scenarios;
using FlannelFast.Lab.Topologies;
using FlannelFast.Lab.Workloads;

namespace FlannelFast.Lab.Running;

/// <summary>
/// Runs a scenario: all contenders are up at the same time, and every round visits all of them with every workload, so that a
/// change of the machine's mood hits all alike. Those that are not being measured stand aside.
/// </summary>
internal sealed class LabRunner(Scenario scenario, ProgramFacts program, ILabProgress progress, Profiler? profiler)
{
    // A contender that failed twice at a workload is not asked a third time.
    private const int FailuresAllowed = 2;

    // With fewer no interval has 95 %: one round has none, and two have one that is narrow by chance.
    private const int LeastRounds = 6;

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly List<Measurement> _measurements = [];
    private readonly List<FailedMeasurement> _failures = [];
    private readonly List<ProfileFacts> _profiles = [];
    private readonly HashSet<WorkloadSpec> _precise = [];

    private RelayFacts? _relay;
    private bool _interrupted;

    // The workload and round that not all contenders have been through yet.
    private (string Workload, int Round)? _open;

    private double Elapsed => Stopwatch.GetElapsedTime(_started).TotalSeconds;

    /// <summary>Runs it, and leaves nothing behind, however it ends.</summary>
    /// <exception cref="LabException">It cannot be run, or payload does not arrive intact.</exception>
    /// <exception cref="OperationCanceledException">It was stopped before anything had been measured.</exception>
    internal async Task<LabReport> RunAsync(CancellationToken cancel)
    {
        DateTimeOffset date = DateTimeOffset.UtcNow;
        MachineFacts machine = MachineFacts.Read();
        foreach (ContenderSpec spec in scenario.Contenders)
        {
            if (spec.Kind is ContenderKind.Udp or ContenderKind.Vxlan) new EngineContender(spec, new(0, isWide: false), "").Check();
        }
        if (scenario.Underlay.IsWireLike && scenario.Contenders.Any(c => c.Kind == ContenderKind.Bare))
            throw LabException.Input("contender bare relies on runs of datagrams that arrive as they were sent: expected the underlay veth, not wire-like");
        // Hosts ask for each other's lanes when packets are sent.
        if (scenario.Contenders.Any(c => c.Kind is ContenderKind.Udp or ContenderKind.Vxlan)) Tool.Require("ping", "a contender with an express lane");
        if (scenario.Underlay.IsWireLike) Tool.Require("ethtool", "--underlay wire-like");
        if (scenario.Underlay.LossPercent > 0 && !scenario.Underlay.HasRelay) Tool.Require("nft", "--loss");
        profiler?.Prepare();
        using LabState state = await LabState.AcquireAsync(progress.Notice, cancel).ConfigureAwait(false);
        var contenders = new List<Contender>();
        try
        {
            progress.Doing($"making {scenario.Topology}, {scenario.Underlay.Setting}, MTU {scenario.Underlay.Mtu}{scenario.Underlay.Impairments}");
            using Topology topology = Topology.Create(state, scenario.Topology, scenario.Underlay);
            if (topology.HasRelays)
            {
                _relay = await RelayCheck.RunAsync(topology, progress, cancel).ConfigureAwait(false);
                // The check floods them; what they do to the contenders is counted from here on.
                await topology.StopRelaysAsync(cancel).ConfigureAwait(false);
                topology.StartRelays();
            }
            foreach (ContenderSpec spec in scenario.Contenders)
            {
                progress.Doing($"starting {spec.Name}");
                contenders.Add(Contender.Create(spec, contenders.Count, state.Directory, scenario.Workloads.Any(w => w.Kind == WorkloadKind.Peers)));
                await contenders[^1].StartAsync(topology, cancel).ConfigureAwait(false);
                await contenders[^1].StandAsideAsync(progress.Notice, cancel).ConfigureAwait(false);
            }
            var runner = new WorkloadRunner(topology);
            List<ContenderFacts> facts = await ValidateAsync(runner, contenders, cancel).ConfigureAwait(false);
            try
            {
                await MeasureAsync(runner, contenders, cancel).ConfigureAwait(false);
                // What the relay did is over what was measured.
                if (_relay is not null) _relay = _relay with { Frames = await topology.StopRelaysAsync(cancel).ConfigureAwait(false) };
                if (profiler is not null)
                {
                    topology.StartRelays();
                    await ProfileAsync(profiler, runner, contenders, state.Directory, cancel).ConfigureAwait(false);
                }
            }
            catch (Exception) when (cancel.IsCancellationRequested && KeepFinished())
            {
                _interrupted = true;
            }
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
                long bytes = await InPlaceAsync(contender, () => runner.ValidateAsync(contender, cancel), cancel).ConfigureAwait(false);
                facts.Add(new(contender.Name, contender.Spec.Kind == ContenderKind.Exec ? contender.Spec.Template!.Text : null, contender.Spec.Binary, bytes));
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
                _open = (workload.Id, round);
                for (int i = 0; i < contenders.Count; i++)
                {
                    // Another one begins each round: who comes after the most demanding one finds a warmer machine.
                    Contender contender = contenders[(i + round - 1) % contenders.Count];
                    if (_failures.Count(f => f.Workload == workload.Id && f.Contender == contender.Name) >= FailuresAllowed) continue;
                    await MeasureOnceAsync(runner, workload, contender, round, cancel).ConfigureAwait(false);
                }
                _open = null;
                if (round >= Math.Max(scenario.MinRounds, LeastRounds) && IsPrecise(workload)) _precise.Add(workload);
            }
            longest = Math.Max(longest, Elapsed - began);
            if (_precise.Count == scenario.Workloads.Count) break;
        }
    }

    // What only some contenders were measured at is given up: medians over unequal rounds would compare unequal things. In the first round
    // every contender has one value at most, and one may be the result of half an hour.
    private bool KeepFinished()
    {
        if (_open is { Round: > 1 } open) _measurements.RemoveAll(m => (m.Workload, m.Round) == open);
        return _measurements.Count > 0;
    }

    private async Task MeasureOnceAsync(WorkloadRunner runner, WorkloadSpec workload, Contender contender, int round, CancellationToken cancel)
    {
        progress.Doing($"round {round}: {workload.Id}, {contender.Name}");
        try
        {
            // Without it every further measurement would wait for an answer until its time is over.
            if (contender.Ended is { } ended) throw new LabException(ended);
            Measurement measurement = await InPlaceAsync(contender, () => MeasureInPlaceAsync(runner, workload, contender, round, cancel), cancel).ConfigureAwait(false);
            _measurements.Add(measurement);
            progress.Measured(measurement);
        }
        catch (LabException e) when (!cancel.IsCancellationRequested)
        {
            runner.Topology.CheckRelays();
            Fail(workload, contender, round, e.Message);
        }
    }

    private async Task<Measurement> MeasureInPlaceAsync(WorkloadRunner runner, WorkloadSpec workload, Contender contender, int round, CancellationToken cancel)
    {
        IReadOnlyList<int> daemons = contender.Daemons;
        double? coreCopy = CoreCopy.Measure();
        Dictionary<string, long> dropsBefore = Drops(runner.Topology, contender);
        double began = Elapsed;
        MachineUsage before = MachineUsage.Read(daemons);
        Outcome outcome = await runner.RunAsync(workload, contender, round, text => progress.Doing($"round {round}: {workload.Id}, {contender.Name}: {text}"), cancel).ConfigureAwait(false);
        MachineUsage used = outcome.Used ?? MachineUsage.Read(daemons) - before;
        double duration = Elapsed - began;
        Dictionary<string, long> drops = Drops(runner.Topology, contender)
            .Select(d => KeyValuePair.Create(d.Key, d.Value - dropsBefore.GetValueOrDefault(d.Key)))
            .Where(d => d.Value != 0).ToDictionary();
        return new()
        {
            Workload = workload.Id,
            Contender = contender.Name,
            Round = round,
            AtSeconds = Math.Round(began, 3),
            DurationSeconds = Math.Round(duration, 3),
            Values = WithCosts(outcome, used, duration, drops.Values.Sum(), hasDaemons: daemons.Count > 0),
            Bytes = outcome.Bytes,
            Packets = outcome.Packets,
            DaemonCpuSeconds = Math.Round(used.DaemonSeconds, 4),
            MachineCpuSeconds = Math.Round(used.MachineSeconds, 2),
            DaemonContextSwitches = used.DaemonSwitches,
            MachineContextSwitches = used.MachineSwitches,
            Drops = drops,
            Series = outcome.Series,
            CoreCopyGbPerSecond = coreCopy,
            Congestion = outcome.Congestion,
        };
    }

    // A run that is being stopped waits for nobody: all of them end.
    private async Task<T> InPlaceAsync<T>(Contender contender, Func<Task<T>> act, CancellationToken cancel)
    {
        try
        {
            await contender.TakePlaceAsync(progress.Notice, cancel).ConfigureAwait(false);
            return await act().ConfigureAwait(false);
        }
        finally
        {
            if (!cancel.IsCancellationRequested) await contender.StandAsideAsync(progress.Notice, cancel).ConfigureAwait(false);
        }
    }

    // A round of its own: what is being profiled is slower than what is measured.
    private async Task ProfileAsync(Profiler profiler, WorkloadRunner runner, List<Contender> contenders, string workspace, CancellationToken cancel)
    {
        int round = 1 + (_measurements.Max(m => (int?)m.Round) ?? 0);
        foreach (WorkloadSpec workload in scenario.Workloads)
        {
            foreach (Contender contender in contenders)
            {
                if (_failures.Count(f => f.Workload == workload.Id && f.Contender == contender.Name) >= FailuresAllowed) continue;
                string what = $"profile: {workload.Id}, {contender.Name}";
                try
                {
                    if (contender.Ended is { } ended) throw new LabException(ended);
                    _profiles.Add(await InPlaceAsync(
                        contender,
                        () => profiler.ProfileAsync(runner, workload, contender, workspace, text => progress.Doing($"{what}: {text}"), cancel),
                        cancel).ConfigureAwait(false));
                    progress.Notice($"{what}: {_profiles[^1].FlameGraph}");
                }
                catch (LabException e) when (!cancel.IsCancellationRequested)
                {
                    runner.Topology.CheckRelays();
                    Fail(workload, contender, round, $"profile: {e.Message}");
                }
            }
        }
    }

    private void Fail(WorkloadSpec workload, Contender contender, int round, string message)
    {
        // What traffic programs complain about then is only its consequence.
        var failure = new FailedMeasurement(workload.Id, contender.Name, round, contender.Ended is { } end ? $"contender {contender.Name} has ended with {end}" : message);
        _failures.Add(failure);
        progress.Failed(failure);
    }

    private static Dictionary<string, long> Drops(Topology topology, Contender contender)
    {
        Dictionary<string, long> drops = KernelDrops.Read(topology, contender);
        foreach ((string reason, long count) in contender.Drops()) drops[reason] = count;
        return drops;
    }

    private static Dictionary<string, double> WithCosts(Outcome outcome, MachineUsage used, double seconds, long drops, bool hasDaemons)
    {
        var values = new Dictionary<string, double>(outcome.Values);
        // A little traffic would make a large and meaningless quotient.
        const double LeastGb = 0.01, LeastMpackets = 0.001;
        (double gb, double mpackets) = (outcome.Bytes / 1e9, outcome.Packets / 1e6);
        if (gb >= LeastGb) Add(MeasureInfo.MachineCpuPerGb, used.MachineSeconds / gb, MeasureInfo.DaemonCpuPerGb, used.DaemonSeconds / gb);
        if (mpackets >= LeastMpackets) Add(MeasureInfo.MachineCpuPerMpackets, used.MachineSeconds / mpackets, MeasureInfo.DaemonCpuPerMpackets, used.DaemonSeconds / mpackets);
        // What the traffic alone used is not over the whole time.
        if (outcome.Used is null)
        {
            Add(MeasureInfo.MachineCpu, 100 * used.MachineSeconds / seconds, MeasureInfo.DaemonCpu, 100 * used.DaemonSeconds / seconds);
            Add(MeasureInfo.MachineSwitches, used.MachineSwitches / seconds, MeasureInfo.DaemonSwitches, used.DaemonSwitches / seconds);
        }
        values[MeasureInfo.Drops] = drops;
        return values;

        void Add(string machine, double ofMachine, string daemons, double ofDaemons)
        {
            values[machine] = ofMachine;
            if (hasDaemons) values[daemons] = ofDaemons;
        }
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
        Interrupted = _interrupted,
        Program = program,
        Machine = machine,
        Scenario = new(
            scenario.Name, scenario.Topology.ToString(), scenario.Underlay.Setting, scenario.Underlay.Mtu, scenario.Underlay.LossPercent,
            scenario.Baseline, scenario.PrecisionPercent)
        {
            DelayMs = scenario.Underlay.DelayMilliseconds,
            ReorderPercent = scenario.Underlay.ReorderPercent,
            DuplicatePercent = scenario.Underlay.DuplicatePercent,
        },
        Relay = _relay,
        Contenders = contenders,
        Workloads = [.. scenario.Workloads.Select(w => new WorkloadFacts(w.Id, w.Title, w.Seconds, _precise.Contains(w)))],
        Summaries = Summarizer.Summarize(_measurements, scenario.Baseline),
        Measurements = _measurements,
        Failures = _failures,
        Profiles = _profiles,
    };
}
