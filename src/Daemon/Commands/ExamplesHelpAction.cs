using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace FlannelFast.Daemon.Commands;

/// <summary>The library's help with a section of examples behind it, at a width that does not depend on the terminal.</summary>
internal sealed class ExamplesHelpAction : SynchronousCommandLineAction
{
    private readonly HelpAction _library = new() { MaxWidth = 110 };

    /// <summary>The lines to show for each command.</summary>
    internal Dictionary<Command, string[]> Examples { get; } = [];

    public override bool Terminating => true;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        TextWriter output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter();
        parseResult.InvocationConfiguration.Output = text;
        _library.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        foreach (string line in text.ToString().TrimEnd().Split('\n')) output.WriteLine(line.TrimEnd());
        if (Examples.TryGetValue(parseResult.CommandResult.Command, out string[]? lines))
        {
            output.WriteLine();
            output.WriteLine("Examples:");
            foreach (string line in lines) output.WriteLine($"  {line}");
        }
        return ExitCode.Success;
    }
}
