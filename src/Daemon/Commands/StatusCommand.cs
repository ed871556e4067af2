using System.CommandLine;
using System.Text.Json;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Daemon.Rendering;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>flannelfast status</c>.</summary>
internal static class StatusCommand
{
    internal static Command Build(CommandContext context, ExamplesHelpAction help)
    {
        Option<string> socket = ControlCall.SocketOption();
        Option<bool> json = ControlCall.JsonOption();
        var command = new Command("status", "Show the device, the capabilities found, counters, drops by name and peers of a running tunnel; of flanneld also its store, lease and firewall")
        {
            socket, json,
        };
        command.SetAction((result, cancel) =>
        {
            bool asJson = result.GetValue(json);
            var request = new ControlRequest
            {
                Command = ControlProtocol.Status,
                PeerLimit = asJson ? null : StatusRenderer.PeersShown,
            };
            return ControlCall.RunAsync(context, result.GetValue(socket)!, request, Show, cancel);

            void Show(ControlResponse response)
            {
                if (response.Flanneld is { } flanneld) ShowFlanneld(flanneld);
                else ShowTunnel(response.Status ?? throw new ControlSocketException("the daemon sent no status"));
            }

            void ShowTunnel(StatusReport report)
            {
                if (asJson) context.Out.WriteLine(JsonSerializer.Serialize(report, ControlJsonContext.Indented.StatusReport));
                else StatusRenderer.Write(context.Out, report, new TerminalStyle(context.Colour));
            }

            void ShowFlanneld(FlanneldReport report)
            {
                if (asJson) context.Out.WriteLine(JsonSerializer.Serialize(report, ControlJsonContext.Indented.FlanneldReport));
                else FlanneldRenderer.Write(context.Out, report, new TerminalStyle(context.Colour));
            }
        });
        help.Examples[command] =
        [
            "flannelfast status",
            "flannelfast status --json | jq .ingress.drops.spoof_src",
            "watch -n1 flannelfast status --socket /run/flannelfast/blue.sock",
        ];
        return command;
    }
}
