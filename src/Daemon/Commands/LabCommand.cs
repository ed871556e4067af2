using System.CommandLine;
using System.Globalization;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Rendering;
using FlannelFast.Lab;
using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Rendering;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Scenarios;
using FlannelFast.Lab.Topologies;
using FlannelFast.Lab.Workloads;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>flannelfast lab</c>: the performance lab.</summary>
internal static class LabCommand
{
    internal static Command Build(CommandContext context, ExamplesHelpAction help)
    {
        var command = new Command("lab", "Measure tunnels against each other on this machine, in network namespaces of its own")
        {
            LabRunCommand.Build(context, help),
            Show(context, help),
            Compare(context, help),
            List(context, help),
            Clean(context, help),
        };
        help.Examples[command] =
        [
            "flannelfast lab run quick --html quick.html",
            "flannelfast lab compare before.json after.json",
        ];
        return command;
    }

    /// <summary>Runs an action and turns what the lab refuses into an exit code.</summary>
    internal static async Task<int> RunAsync(CommandContext context, Func<Task<int>> action)
    {
        try
        {
            return await action().ConfigureAwait(false);
        }
        catch (Exception e) when (e is LabException or InvalidInputException)
        {
            return context.Fail(e is LabException { IsInput: false } ? ExitCode.Failure : ExitCode.BadInput, e.Message);
        }
    }

    private static Command Compare(CommandContext context, ExamplesHelpAction help)
    {
        var before = new Argument<string>("BEFORE") { Description = "Report of \"lab run --json\"" };
        var after = new Argument<string>("AFTER") { Description = "Another one, of the same set-up" };
        var tolerance = new Option<double>("--tolerance")
        {
            Description = "Change in percent that does not matter, 0 to 50",
            HelpName = "PERCENT",
            DefaultValueFactory = _ => 3,
        };
        var command = new Command("compare", "Show what changed between two runs beyond the noise; exit code 1 if something became worse") { before, after, tolerance };
        command.SetAction((result, _) => RunAsync(context, () =>
        {
            double percent = result.GetValue(tolerance);
            if (percent is not (>= 0 and <= 50)) throw LabException.Input(string.Create(CultureInfo.InvariantCulture, $"--tolerance: expected a number from 0 to 50, not {percent}"));
            LabReport old = LabReport.ReadFile(result.GetValue(before)!), now = LabReport.ReadFile(result.GetValue(after)!);
            IReadOnlyList<ReportChange> changes = ReportComparison.Compare(old, now, percent / 100);
            LabRenderer.WriteChanges(context.Out, old, now, changes, new TerminalStyle(context.Colour));
            return Task.FromResult(changes.Any(c => ReportComparison.IsRegression(c, now)) ? ExitCode.Failure : ExitCode.Success);
        }));
        help.Examples[command] = ["flannelfast lab compare before.json after.json"];
        return command;
    }

    private static Command Show(CommandContext context, ExamplesHelpAction help)
    {
        var file = new Argument<string>("REPORT") { Description = "Report of \"lab run --json\"" };
        var html = new Option<string?>("--html") { Description = "Write the page with plots to a file instead of the tables to the terminal", HelpName = "FILE" };
        var command = new Command("show", "Show a report again") { file, html };
        command.SetAction((result, _) => RunAsync(context, () =>
        {
            LabReport report = LabReport.ReadFile(result.GetValue(file)!);
            if (result.GetValue(html) is { } page) WriteFile(page, HtmlReport.Create(report, page));
            else LabRenderer.WriteReport(context.Out, report, new TerminalStyle(context.Colour));
            return Task.FromResult(ExitCode.Success);
        }));
        help.Examples[command] = ["flannelfast lab show before.json", "flannelfast lab show before.json --html before.html"];
        return command;
    }

    /// <summary>Writes a report.</summary>
    /// <exception cref="LabException">It cannot be written.</exception>
    internal static void WriteFile(string file, string text)
    {
        try
        {
            File.WriteAllText(file, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"cannot write {file}: {e.Message}");
        }
    }

    private static Command List(CommandContext context, ExamplesHelpAction help)
    {
        var name = new Argument<string?>("SCENARIO") { Description = "Print the file of this one, to start your own from", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("list", "List scenarios, topologies, contenders and workloads") { name };
        command.SetAction((result, _) => RunAsync(context, () =>
        {
            if (result.GetValue(name) is { } wanted)
            {
                context.Out.Write(BuiltInScenarios.Text(BuiltInScenarios.Get(wanted).Name));
                return Task.FromResult(ExitCode.Success);
            }
            var style = new TerminalStyle(context.Colour);
            Write(context, style.Heading("scenarios"), [.. BuiltInScenarios.Names.Select(n => (n, BuiltInScenarios.Get(n).Description))]);
            Write(context, style.Heading("topologies"), [("pair", "two nodes on one veth pair"), ("star:N", "2 to 64 nodes on one switch; all send to the first"), ("pods", "two nodes, behind each a pod on a bridge")]);
            Write(context, style.Heading("underlays"), [("veth", "super-packets cross whole"), ("wire-like", "no frame is longer than the MTU, as with a plain card; can be given delay, reordering, duplication")]);
            Write(context, style.Heading("contenders"),
            [
                ("raw", "no overlay"), ("kernel-vxlan", "the kernel's VXLAN device, configured as flannel does"),
                ("bare", "the system calls of a tunnel in user space and nothing else: the ceiling of them all, over plain veth"),
                ("udp, vxlan", "FlannelFast; switches behind a colon: udp:coalesce=off,queues=2,peers=1000,binary=/path/to/other/build"),
                ("exec:NAME=COMMAND", $"any program, with {string.Join(" ", CommandTemplate.Placeholders.Select(p => $"{{{p.Name}}}"))}"),
            ]);
            Write(context, style.Heading("workloads"), [.. ScenarioReader.Kinds.Select(k => (k.Name, WorkloadSpec.Meaning(k.Kind)))]);
            return Task.FromResult(ExitCode.Success);
        }));
        help.Examples[command] = ["flannelfast lab list", "flannelfast lab list quick > mine.json"];
        return command;
    }

    private static void Write(CommandContext context, string heading, IReadOnlyList<(string Name, string Meaning)> rows)
    {
        context.Out.WriteLine(heading);
        var table = new TextTable(Column.Left, Column.Left);
        foreach ((string name, string meaning) in rows) table.Add($"  {name}", meaning);
        foreach (string line in table.Lines()) context.Out.WriteLine(line);
    }

    private static Command Clean(CommandContext context, ExamplesHelpAction help)
    {
        var command = new Command("clean", "Remove what a killed lab left behind; a running one is left alone");
        command.SetAction((_, _) => RunAsync(context, () =>
        {
            IReadOnlyList<string> removed = LabState.Clean();
            foreach (string line in removed) context.Out.WriteLine($"removed {line}");
            if (removed.Count == 0) context.Out.WriteLine("nothing to remove");
            return Task.FromResult(ExitCode.Success);
        }));
        help.Examples[command] = ["flannelfast lab clean"];
        return command;
    }
}
