using System.CommandLine;
using System.Text;
using System.Text.Json;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Reports;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Rendering;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>flannelfast network show|set</c>.</summary>
internal static class NetworkCommand
{
    internal static Command Build(CommandContext context, ExamplesHelpAction help)
    {
        var command = new Command("network", "Show or set the network config of a store") { Show(context, help), Set(context, help) };
        help.Examples[command] = ["flannelfast network show", "flannelfast network set '{\"Network\":\"10.5.0.0/16\",\"Backend\":{\"Type\":\"vxlan\"}}'"];
        return command;
    }

    private static Command Show(CommandContext context, ExamplesHelpAction help)
    {
        StoreFlags store = new(context);
        Option<bool> json = ControlCall.JsonOption();
        var command = new Command("show", "Show the network config as daemons understand it, and as it is stored") { json };
        store.AddTo(command);
        command.SetAction((result, cancel) => store.RunAsync(result, async registry =>
        {
            byte[]? stored = await registry.ReadConfigAsync(cancel).ConfigureAwait(false);
            if (stored is null) return context.Fail(ExitCode.Failure, $"there is no network config in {registry.Description}");
            try
            {
                Print(context, registry, stored, NetworkConfigParser.Parse(stored), result.GetValue(json));
                return ExitCode.Success;
            }
            catch (NetworkConfigException e)
            {
                string text = InvalidInputException.Quote(Encoding.UTF8.GetString(stored), limit: 300)[1..^1];
                return context.Fail(ExitCode.Failure, $"the network config in {registry.Description} cannot be used: {e.Message}: {text}");
            }
        }));
        help.Examples[command] = ["flannelfast network show --etcd-endpoints http://10.0.0.1:2379", "flannelfast network show --json | jq -r .ipv4.network"];
        return command;
    }

    private static Command Set(CommandContext context, ExamplesHelpAction help)
    {
        StoreFlags store = new(context);
        var text = new Argument<string>("CONFIG") { Description = "The config as JSON; or a file with it, or - for standard input, behind --file", Arity = ArgumentArity.ZeroOrOne };
        var file = new Option<string>("--file") { Description = "Read the config from this file; - is standard input", HelpName = "FILE" };
        var force = new Option<bool>("--force") { Description = "Replace another config that is there", Arity = ArgumentArity.Zero };
        var command = new Command("set", "Check a network config and write it. Daemons that run keep theirs until they start again") { text, file, force };
        store.AddTo(command);
        command.SetAction((result, cancel) => store.RunAsync(result, async registry =>
        {
            byte[] config = await ReadAsync(context, result.GetValue(text), result.GetValue(file), cancel).ConfigureAwait(false);
            try
            {
                bool isWritten = await NetworkEditor.WriteAsync(registry, config, result.GetValue(force), cancel).ConfigureAwait(false);
                context.Out.WriteLine(isWritten ? $"written to {registry.Description}" : "nothing to change");
                return ExitCode.Success;
            }
            catch (NetworkConfigException e)
            {
                return context.Fail(ExitCode.BadInput, $"CONFIG: {e.Message}");
            }
        }));
        help.Examples[command] =
        [
            "flannelfast network set '{\"Network\":\"10.5.0.0/16\",\"Backend\":{\"Type\":\"vxlan\"}}'",
            "flannelfast network set --store-dir /var/lib/flannelfast/store --file net-conf.json",
        ];
        return command;
    }

    private static async Task<byte[]> ReadAsync(CommandContext context, string? text, string? file, CancellationToken cancel)
    {
        if (text is null == file is null) throw new InvalidInputException("expected either CONFIG or --file; see \"flannelfast network set --help\"");
        if (text is not null) return Encoding.UTF8.GetBytes(text.Trim());
        try
        {
            await using Stream source = file == "-" ? context.In() : new FileStream(file!, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] content = new byte[RegistryEntry.MaxValueSize + 1];
            int length = await source.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
            if (length > RegistryEntry.MaxValueSize) throw new InvalidInputException($"--file: expected at most {RegistryEntry.MaxValueSize >> 10} KiB; {file} is larger");
            return content.AsSpan(0, length).Trim("\uFEFF \t\r\n"u8).ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InvalidInputException($"--file: expected a readable file: {e.Message}");
        }
    }

    private static void Print(CommandContext context, ISubnetRegistry registry, byte[] stored, NetworkConfig network, bool asJson)
    {
        NetworkReport report = new()
        {
            Store = registry.Description,
            Ipv4 = FamilyReport.From(network.Ipv4),
            Ipv6 = FamilyReport.From(network.Ipv6),
            EnableNftables = network.EnableNFTables,
            BackendType = network.Backend.Type,
            Config = GoJson.Parse(stored),
        };
        if (asJson) context.Out.WriteLine(JsonSerializer.Serialize(report, SubnetReportContext.Default.NetworkReport));
        else foreach (string line in NetworkRenderer.Lines(report, new TerminalStyle(context.Colour))) context.Out.WriteLine(line);
    }
}
