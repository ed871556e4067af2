using System.CommandLine;
using System.CommandLine.Invocation;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>--version</c>: one line for scripts; <c>flannelfast version</c> says more.</summary>
internal sealed class VersionAction : SynchronousCommandLineAction
{
    public override bool Terminating => true;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.WriteLine($"flannelfast {BuildInfo.Version}");
        return ExitCode.Success;
    }
}
