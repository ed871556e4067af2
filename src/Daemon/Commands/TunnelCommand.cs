using System.CommandLine;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Hosting;
using FlannelFast.Daemon.Rendering;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>flannelfast tunnel</c>: the daemon.</summary>
internal static class TunnelCommand
{
    private static readonly Dictionary<string, LogLevel> s_levels = new()
    {
        ["debug"] = LogLevel.Debug,
        ["info"] = LogLevel.Information,
        ["warning"] = LogLevel.Warning,
        ["error"] = LogLevel.Error,
    };

    internal static Command Build(CommandContext context, ExamplesHelpAction help)
    {
        var tunnel = new TunnelOptions();
        var config = new Option<string>("--config")
        {
            Description = "Read the tunnel from a JSON file instead of flags: the same names with underscores, lists \"networks\", \"subnets\" and \"peers\". Peers are read again on SIGHUP",
            HelpName = "FILE",
        };
        var check = new Option<bool>("--check") { Description = "Validate flags or file, change nothing, exit", Arity = ArgumentArity.Zero };
        Option<string> socket = ControlCall.SocketOption();
        socket.Description = "Control socket to make; one per daemon";
        var level = new Option<string>("--log-level")
        {
            Description = "Least important messages to log",
            HelpName = string.Join('|', s_levels.Keys),
            DefaultValueFactory = _ => "info",
        };

        var command = new Command("tunnel", "Run a tunnel in the foreground: makes the device, its address and routes, and removes them at the end");
        tunnel.AddTo(command);
        foreach (Option option in new Option[] { config, check, socket, level }) command.Options.Add(option);
        command.SetAction(async (result, _) =>
        {
            string? file = result.GetValue(config);
            TunnelConfig settings;
            LogLevel logLevel;
            try
            {
                settings = Load(file, tunnel, result);
                if (!s_levels.TryGetValue(result.GetValue(level)!, out logLevel))
                    throw new InvalidInputException($"--log-level: expected {string.Join(" or ", s_levels.Keys)}, not {InvalidInputException.Quote(result.GetValue(level)!)}");
            }
            catch (InvalidInputException e)
            {
                return context.Fail(ExitCode.BadInput, e.Message);
            }
            if (result.GetValue(check))
            {
                context.Out.WriteLine($"ok: {TunnelSummary.Of(settings)}");
                return ExitCode.Success;
            }
            using ILoggerFactory log = context.Logging(logLevel);
            var host = new TunnelHost(settings, file, result.GetValue(socket)!, log);
            using HostSignals signals = context.Signals(true);
            return await host.RunAsync(context, signals).ConfigureAwait(false);
        });
        help.Examples[command] =
        [
            "flannelfast tunnel --device ff0 --local 192.0.2.1 --network 10.5.0.0/16 --subnet 10.5.1.0/24 \\",
            "    --encap udp --peer 10.5.2.0/24=192.0.2.2",
            "flannelfast tunnel --device ff0 --local 192.0.2.1 --network 10.5.0.0/16 --subnet 10.5.1.0/24 \\",
            "    --encap vxlan --peer 10.5.2.0/24=192.0.2.2,02:ff:c0:00:02:02",
            "flannelfast tunnel --config /etc/flannelfast.json --check",
        ];
        return command;
    }

    private static TunnelConfig Load(string? file, TunnelOptions tunnel, ParseResult result)
    {
        if (file is null) return TunnelValidator.Validate(tunnel.Read(result), new FlagOrigin());
        if (tunnel.FirstGiven(result) is { } key)
            throw new InvalidInputException($"{SettingKeys.ToFlag(key)}: expected no flag of the tunnel beside --config; set \"{key}\" in {file}");
        return TunnelSettingsFile.Load(file);
    }
}
