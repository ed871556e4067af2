using System.CommandLine;
using System.Text.Json;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Rendering;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>flannelfast peer add|del|list</c>: changes the peers of a running tunnel.</summary>
internal static class PeerCommand
{
    internal static Command Build(CommandContext context, ExamplesHelpAction help)
    {
        var command = new Command("peer", "Add, delete or list the peers of a running tunnel")
        {
            Add(context, help), Delete(context, help), List(context, help),
        };
        help.Examples[command] = ["flannelfast peer add 10.5.2.0/24=192.0.2.2", "flannelfast peer list"];
        return command;
    }

    private static Command Add(CommandContext context, ExamplesHelpAction help)
    {
        Option<string> socket = ControlCall.SocketOption();
        var replace = new Option<bool>("--replace")
        {
            Description = "Give a subnet that is there already its new address; without it that is an error",
            Arity = ArgumentArity.Zero,
        };
        var peers = new Argument<string[]>("SUBNET=IP[,MAC]")
        {
            Description = "The peer's pod subnet, its underlay address, and with vxlan its VtepMAC",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("add", "Add peers, all of those named or none. Lasts until the daemon ends or reads its file again") { peers, replace, socket };
        command.SetAction((result, cancel) =>
        {
            List<PeerSettings> settings;
            try
            {
                settings = [.. result.GetValue(peers)!.Select(text => PeerSettings.FromArgument("peer add", text))];
            }
            catch (InvalidInputException e)
            {
                return Task.FromResult(context.Fail(ExitCode.BadInput, e.Message));
            }
            var request = new ControlRequest { Command = ControlProtocol.PeerAdd, Replace = result.GetValue(replace), Peers = settings };
            return ControlCall.RunAsync(context, result.GetValue(socket)!, request, r => ShowChange(context, r), cancel);
        });
        help.Examples[command] =
        [
            "flannelfast peer add 10.5.2.0/24=192.0.2.2",
            "flannelfast peer add 10.5.2.0/24=192.0.2.2,02:ff:c0:00:02:02 10.5.3.0/24=192.0.2.3,02:ff:c0:00:02:03",
            "flannelfast peer add --replace 10.5.2.0/24=192.0.2.9",
        ];
        return command;
    }

    private static Command Delete(CommandContext context, ExamplesHelpAction help)
    {
        Option<string> socket = ControlCall.SocketOption();
        var subnets = new Argument<string[]>("SUBNET") { Description = "The peer's pod subnet", Arity = ArgumentArity.OneOrMore };
        var command = new Command("del", "Delete peers, all of those named or none") { subnets, socket };
        command.SetAction((result, cancel) =>
        {
            var request = new ControlRequest
            {
                Command = ControlProtocol.PeerDelete,
                Subnets = [.. result.GetValue(subnets)!.Select(SettingValue.FromFlag)],
            };
            return ControlCall.RunAsync(context, result.GetValue(socket)!, request, r => ShowChange(context, r), cancel);
        });
        help.Examples[command] = ["flannelfast peer del 10.5.2.0/24"];
        return command;
    }

    private static Command List(CommandContext context, ExamplesHelpAction help)
    {
        Option<string> socket = ControlCall.SocketOption();
        Option<bool> json = ControlCall.JsonOption();
        var command = new Command("list", "List all peers with their counters") { socket, json };
        command.SetAction((result, cancel) =>
        {
            bool asJson = result.GetValue(json);
            return ControlCall.RunAsync(context, result.GetValue(socket)!, new() { Command = ControlProtocol.PeerList }, Show, cancel);

            void Show(ControlResponse response)
            {
                if (asJson)
                {
                    context.Out.WriteLine(JsonSerializer.Serialize(response, ControlJsonContext.Indented.ControlResponse));
                    return;
                }
                foreach (string line in PeerRenderer.Table(response.Peers ?? [], new TerminalStyle(context.Colour)).Lines())
                    context.Out.WriteLine(line);
            }
        });
        help.Examples[command] = ["flannelfast peer list", "flannelfast peer list --json | jq '.peers[] | select(.send_errors > 0)'"];
        return command;
    }

    private static void ShowChange(CommandContext context, ControlResponse response)
    {
        PeerChange change = response.Change ?? throw new ControlSocketException("the daemon sent no answer to the change");
        string[] parts =
        [
            .. new (int Count, string What)[]
            {
                (change.Added, "added"), (change.Changed, "changed"), (change.Removed, "deleted"),
            }.Where(p => p.Count > 0).Select(p => $"{p.Count} {p.What}"),
        ];
        context.Out.WriteLine(parts.Length == 0 ? "nothing to change" : string.Join(", ", parts));
    }
}
