using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Commands;
using FlannelFast.Daemon.Flanneld.GoFlags;
using FlannelFast.Daemon.Flanneld.Hosting;
using FlannelFast.Daemon.Hosting;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld;

/// <summary>The program as flanneld: <c>flannelfast flanneld</c>, or by a link of that name.</summary>
internal static class FlanneldCommand
{
    private const string Name = "flanneld";

    /// <summary>Whether the program was called as flanneld.</summary>
    /// <param name="program">argv[0].</param>
    internal static bool IsCalled(string program) => Path.GetFileName(program) == Name;

    /// <summary>Parses the command line and runs the daemon.</summary>
    /// <returns>The exit code.</returns>
    internal static async Task<int> RunAsync(string[] args, CommandContext context)
    {
        var flags = new FlanneldFlags();
        FlanneldOptions? options;
        try
        {
            options = flags.Parse(args, context.Variable);
        }
        catch (Exception e) when (e is GoFlagException or InvalidInputException)
        {
            return context.Fail(FlanneldFlags.WantsCompatExitCodes(args, context.Variable) ? ExitCode.Success : ExitCode.BadInput, e.Message, Name);
        }
        if (options is null)
        {
            // To standard error, as stock writes both.
            if (flags.IsHelpWanted) flags.WriteUsage(context.Error);
            else context.Error.WriteLine($"v{BuildInfo.Version} (FlannelFast)");
            return ExitCode.Success;
        }
        if (!flags.HasValidMargin)
            return context.Fail(ExitCode.Failure, "-subnet-lease-renew-margin: expected 1 to 1439 minutes", Name);

        using ILoggerFactory loggers = context.Logging(options.LogLevel);
        using HostSignals signals = context.Signals(false);
        try
        {
            using FlanneldParts parts = context.Flanneld(options, loggers);
            return await new FlanneldHost(options, parts, loggers).RunAsync(signals).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            return context.Fail(ExitCode.Failure, e.Message, Name);
        }
    }
}
