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
        var command = new Command("status", "Show the device, the capabilities found, counters, drops by name and peers of a running tunnel")
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
                StatusReport report = response.Status ?? throw new ControlSocketException("the daemon sent no status");
                if (asJson) context.Out.WriteLine(JsonSerializer.Serialize(report, ControlJsonContext.Indented.StatusReport));
                else StatusRenderer.Write(context.Out, report, new TerminalStyle(context.Colour));
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
