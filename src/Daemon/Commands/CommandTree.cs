using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Flanneld;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Daemon.Commands;

/// <summary>All commands, and how a command line is run.</summary>
internal static class CommandTree
{
    /// <summary>Parses and runs a command line.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    internal static async Task<int> RunAsync(string[] args, CommandContext context)
    {
        // Not a command of the tree: only the lab starts it, with flags that are no interface for people.
        if (args is ["lab-agent", ..]) return LabAgent.Run(args[1..], context.Out, context.Error);
        // By its own name it has Go's flag syntax, which is another language than that of the tree.
        if (args is ["flanneld", ..]) return await FlanneldCommand.RunAsync(args[1..], context).ConfigureAwait(false);
        // Files of arguments ("@file") would be a second configuration language beside --config.
        var parsing = new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null };
        ParseResult result = Build(context).Parse(args, parsing);
        if (result.Errors.Count > 0 && result.Action is not (HelpAction or ExamplesHelpAction or VersionAction))
            return context.Fail(ExitCode.BadInput, Explain(result));

        var invocation = new InvocationConfiguration
        {
            Output = context.Out,
            Error = context.Error,
            EnableDefaultExceptionHandler = false,
            // Signals are the business of the command that runs for long; see HostSignals.
            ProcessTerminationTimeout = null,
        };
        try
        {
            return await result.InvokeAsync(invocation).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            // Standard output is a file on a full disk or the like; what else can fail is explained where it does.
            return context.Fail(ExitCode.Failure, e.Message);
        }
    }

    private static RootCommand Build(CommandContext context)
    {
        var help = new ExamplesHelpAction();
        var root = new RootCommand("Carries a subnet overlay between hosts: flannel's udp and vxlan wire formats, spoken by one native program.")
        {
            TunnelCommand.Build(context, help),
            PeerCommand.Build(context, help),
            StatusCommand.Build(context, help),
            LeasesCommand.Build(context, help),
            NetworkCommand.Build(context, help),
            ReserveCommand.Build(context, help),
            DockerOptsCommand.Build(context, help),
            LabCommand.Build(context, help),
            VersionCommand.Build(context, help),
        };
        help.Examples[root] =
        [
            "flannelfast tunnel --device ff0 --local 192.0.2.1 --network 10.5.0.0/16 --subnet 10.5.1.0/24 \\",
            "    --encap udp --peer 10.5.2.0/24=192.0.2.2",
            "flannelfast status",
            "flannelfast leases --etcd-endpoints http://192.0.2.1:2379",
        ];
        foreach (Option option in root.Options)
        {
            if (option is HelpOption) option.Action = help;
            if (option is VersionOption) (option.Action, option.Description) = (new VersionAction(), "Show the version in one line");
        }
        return root;
    }

    private static string Explain(ParseResult result)
    {
        Command command = result.CommandResult.Command;
        string name = FullName(result.CommandResult);
        string see = $"see \"{name} --help\"";
        // The library takes the next word as the value even when it is a flag, and then complains about the word after it.
        foreach (OptionResult option in result.CommandResult.Children.OfType<OptionResult>())
        {
            if (option.Tokens.FirstOrDefault(t => command.Options.Any(o => o.Name == t.Value)) is { } flag)
                return $"{option.Option.Name}: expected a value, not the flag {flag.Value}; {see}";
        }
        if (result.UnmatchedTokens is [var token, ..])
        {
            string known = command.Subcommands.Count > 0 ? $"one of {string.Join(", ", command.Subcommands.Select(c => c.Name))}" : $"a flag of \"{name}\"";
            return $"{InvalidInputException.Quote(token)}: expected {known}; {see}";
        }
        if (command.Subcommands.Count > 0)
            return $"expected a command: one of {string.Join(", ", command.Subcommands.Select(c => c.Name))}; {see}";
        string message = Explain(result.Errors[0].SymbolResult)
            ?? InvalidInputException.Quote(result.Errors[0].Message, limit: 300)[1..^1].TrimEnd('.');
        return $"{message}; {see}";
    }

    /// <summary>What is wrong with a known flag or argument, in the words of all other messages; null for what the library says better.</summary>
    private static string? Explain(SymbolResult? place) => place switch
    {
        OptionResult { Tokens: [] } option => $"{option.Option.Name}: expected a value",
        OptionResult { IdentifierTokenCount: > 1 } option => $"{option.Option.Name}: given {option.IdentifierTokenCount} times; expected once",
        CommandResult { Command.Arguments: [var argument] } => $"expected {argument.Name}",
        ArgumentResult { Tokens: [], Parent: OptionResult option } => Explain(option),
        ArgumentResult { Tokens: [] } argument => $"expected {argument.Argument.Name}",
        _ => null,
    };

    private static string FullName(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{FullName(parent)} {result.Command.Name}" : "flannelfast";
}
