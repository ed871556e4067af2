using FlannelFast.Daemon.Flanneld.GoFlags;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld.Flags;

/// <summary>
/// The flags of flannel's logging libraries. Up to v0.7 all of glog's were flags of flanneld, and documents still show them, although flanneld always
/// logged to standard error; so does this one.
/// </summary>
internal sealed class LoggingFlags
{
    private const int VerbosityOfDebug = 4, VerbosityOfTrace = 10;

    private readonly IntegerFlag _verbosity;
    private readonly TextFlag _directory;
    private readonly BooleanFlag _toStandardError;

    internal LoggingFlags(GoFlagSet set)
    {
        _verbosity = set.Add(new IntegerFlag("v", 0, int.MinValue, int.MaxValue, $"number for the log level verbosity; debug messages from {VerbosityOfDebug}"));
        set.Add(new TextFlag("vmodule", "", "accepted for old command lines, without effect"));
        set.Add(new TextFlag("log_backtrace_at", ":0", "accepted for old command lines, without effect"));
        _toStandardError = set.Add(new BooleanFlag("logtostderr", true, "accepted for old command lines; the log always goes to standard error"));
        set.Add(new BooleanFlag("alsologtostderr", false, "accepted for old command lines, without effect"));
        set.Add(new TextFlag("stderrthreshold", "", "accepted for old command lines, without effect"));
        _directory = set.Add(new TextFlag("log_dir", "", "accepted for old command lines, without effect"));
    }

    internal LogLevel Level => _verbosity.Value switch
    {
        >= VerbosityOfTrace => LogLevel.Trace,
        >= VerbosityOfDebug => LogLevel.Debug,
        _ => LogLevel.Information,
    };

    internal IEnumerable<string> Warnings()
    {
        if (_directory.Value.Length > 0) yield return "-log_dir has no effect: the log goes to standard error";
        if (!_toStandardError.Value) yield return "-logtostderr=false has no effect: the log goes to standard error";
    }
}
