using System.CommandLine;
using System.Text.Json;
using FlannelFast.Control.Subnets.Reports;
using FlannelFast.Daemon.Rendering;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>flannelfast leases</c>.</summary>
internal static class LeasesCommand
{
    internal static Command Build(CommandContext context, ExamplesHelpAction help)
    {
        StoreFlags store = new(context);
        Option<bool> json = ControlCall.JsonOption();
        var command = new Command("leases", "List the leases of a store: who has which subnet, and until when") { json };
        store.AddTo(command);
        command.SetAction((result, cancel) => store.RunAsync(result, async registry =>
        {
            LeaseListReport report = await LeaseReporter.ReadAsync(registry, cancel).ConfigureAwait(false);
            if (result.GetValue(json)) context.Out.WriteLine(JsonSerializer.Serialize(report, SubnetReportContext.Default.LeaseListReport));
            else foreach (string line in LeaseRenderer.Lines(report, new TerminalStyle(context.Colour))) context.Out.WriteLine(line);
            return ExitCode.Success;
        }));
        help.Examples[command] =
        [
            "flannelfast leases --etcd-endpoints https://10.0.0.1:2379 --etcd-cafile ca.pem --etcd-certfile me.pem --etcd-keyfile me.key",
            "flannelfast leases --store-dir /var/lib/flannelfast/store",
            "flannelfast leases --json | jq -r '.leases[] | select(.expires_in_seconds < 3600) | .public_ip'",
        ];
        return command;
    }
}
