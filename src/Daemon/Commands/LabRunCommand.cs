using System.CommandLine;
using FlannelFast.Daemon.Hosting;
using FlannelFast.Daemon.Rendering;
using FlannelFast.Lab;
using FlannelFast.Lab.Hosting;
using FlannelFast.Lab.Profiling;
using FlannelFast.Lab.Rendering;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Running;
using FlannelFast.Lab.Scenarios;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>flannelfast lab run</c>.</summary>
internal sealed class LabRunCommand
{
    private readonly Argument<string?> _name = new("SCENARIO") { Description = "Name of a scenario, see \"flannelfast lab list\"", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _file = Value<string?>("--scenario", "FILE", "Read the scenario from a file instead");
    private readonly Option<string[]> _contenders = Value<string[]>("--contender", "SPEC", "Measure this instead of the scenario's contenders; may be repeated");
    private readonly Option<string[]> _only = Value<string[]>("--only", "WORKLOAD", "Leave out all other workloads, by the name in tables; may be repeated");
    private readonly Option<string?> _baseline = Value<string?>("--baseline", "NAME", "Contender that ratios refer to");
    private readonly Option<string?> _topology = Value<string?>("--topology", "pair|star:N|pods", "How nodes are joined");
    private readonly Option<string?> _underlay = Value<string?>("--underlay", "veth|wire-like", "What they are joined by");
    private readonly Option<int?> _mtu = Value<int?>("--mtu", "BYTES", "MTU of the underlay, for example 1500 or 9000");
    private readonly Option<double?> _loss = Value<double?>("--loss", "PERCENT", "Random loss where packets arrive at a node");
    private readonly Option<double?> _delay = Value<double?>("--delay", "MS", "What every frame takes from node to node, with --underlay wire-like");
    private readonly Option<double?> _reorder = Value<double?>("--reorder", "PERCENT", "Frames that skip the delay and overtake others");
    private readonly Option<double?> _duplicate = Value<double?>("--duplicate", "PERCENT", "Frames that arrive twice, with --underlay wire-like");
    private readonly Option<double?> _time = Value<double?>("--time", "SECONDS", "No round begins that would not end before this");
    private readonly Option<int?> _rounds = Value<int?>("--rounds", "N", "Most rounds");
    private readonly Option<double?> _precision = Value<double?>("--precision", "PERCENT", "A workload is done when the 95 % interval of every ratio is this narrow on both sides");
    private readonly Option<string?> _json = Value<string?>("--json", "FILE", "Write everything, each raw round included, to a file");
    private readonly Option<string?> _html = Value<string?>("--html", "FILE", "Write one page with plots to a file");
    private readonly Option<string?> _profile = Value<string?>(Profiler.Flag, "DIR", "Profile one more round with perf, and write flame graphs and folded stacks to a directory");
    private readonly CommandContext _context;

    private LabRunCommand(CommandContext context) => _context = context;

    internal static Command Build(CommandContext context, ExamplesHelpAction help)
    {
        var run = new LabRunCommand(context);
        var command = new Command("run", "Run a scenario and show medians, ratios and how sure they are") { run._name };
        foreach (Option option in new Option[]
        {
            run._file, run._contenders, run._only, run._baseline, run._topology, run._underlay, run._mtu, run._loss, run._delay, run._reorder, run._duplicate, run._time, run._rounds,
            run._precision, run._json, run._html, run._profile,
        })
        {
            command.Options.Add(option);
        }
        command.SetAction((result, _) => LabCommand.RunAsync(context, () => run.RunAsync(result)));
        help.Examples[command] =
        [
            "flannelfast lab run quick",
            "flannelfast lab run standard --underlay wire-like --json wire.json --html wire.html",
            "flannelfast lab run quick --only tcp-1 --contender udp --contender udp:coalesce=off",
            "flannelfast lab run quick --only tcp-1 --profile profiles --html quick.html",
            "flannelfast lab run quick --topology pods --contender kernel-vxlan --contender 'exec:mine=mytunnel --dev {device} --peer {peer}'",
        ];
        return command;
    }

    private async Task<int> RunAsync(ParseResult result)
    {
        Scenario scenario = Changes(result).Apply(Named(result));
        (string? json, string? html, string? profile) = (result.GetValue(_json), result.GetValue(_html), result.GetValue(_profile));
        // Before half an hour of measuring, not after it.
        foreach (string? file in new[] { json, html }) CheckWritable(file);

        var style = new TerminalStyle(_context.Colour);
        using HostSignals signals = _context.Signals(true);
        using var stop = new CancellationTokenSource();
        _ = signals.Stopped.ContinueWith(_ => stop.Cancel(), stop.Token, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        var progress = new LabProgress(_context.Out, style, isLive: _context.Colour, scenario.Name);
        LabReport report;
        try
        {
            var program = new ProgramFacts(BuildInfo.Version, BuildInfo.Revision, Self.Location);
            report = await new LabRunner(scenario, program, progress, profile is null ? null : new Profiler(profile)).RunAsync(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            progress.Clear();
            return _context.Fail(ExitCode.Failure, "stopped before anything was measured; nothing is left behind");
        }
        finally
        {
            progress.Clear();
        }
        LabRenderer.WriteReport(_context.Out, report, style);
        // One that cannot be written must not cost the other.
        bool written = Write(json, report.ToJson) & Write(html, () => HtmlReport.Create(report, html));
        return written && report.Failures.Count == 0 && !report.Interrupted ? ExitCode.Success : ExitCode.Failure;
    }

    private Scenario Named(ParseResult result) => (result.GetValue(_name), result.GetValue(_file)) switch
    {
        ({ } name, null) => BuiltInScenarios.Get(name),
        (null, { } file) => ScenarioReader.ReadFile(file),
        _ => throw LabException.Input($"expected either the name of a scenario ({string.Join(", ", BuiltInScenarios.Names)}) or --scenario FILE"),
    };

    private ScenarioChanges Changes(ParseResult result) => new()
    {
        Contenders = result.GetValue(_contenders) ?? [],
        Workloads = result.GetValue(_only) ?? [],
        Baseline = result.GetValue(_baseline),
        Topology = result.GetValue(_topology),
        Underlay = result.GetValue(_underlay),
        Mtu = result.GetValue(_mtu),
        Loss = result.GetValue(_loss),
        DelayMilliseconds = result.GetValue(_delay),
        Reorder = result.GetValue(_reorder),
        Duplicate = result.GetValue(_duplicate),
        Time = result.GetValue(_time),
        Rounds = result.GetValue(_rounds),
        Precision = result.GetValue(_precision),
    };

    private static void CheckWritable(string? file)
    {
        if (file is null) return;
        if (Directory.Exists(file)) throw LabException.Input($"expected a file to write to, but {file} is a directory");
        string directory = Path.GetDirectoryName(Path.GetFullPath(file))!;
        if (!Directory.Exists(directory)) throw LabException.Input($"{file}: there is no directory {directory}");
    }

    private bool Write(string? file, Func<string> text)
    {
        if (file is null) return true;
        try
        {
            LabCommand.WriteFile(file, text());
            _context.Out.WriteLine($"written: {file}");
            return true;
        }
        catch (LabException e)
        {
            _context.Fail(ExitCode.Failure, e.Message);
            return false;
        }
    }

    private static Option<T> Value<T>(string name, string helpName, string description) => new(name) { Description = description, HelpName = helpName };
}
