using System.Diagnostics;
using System.Globalization;
using FlannelFast.Lab.Hosting;

namespace FlannelFast.Lab.Profiling;

/// <summary>Records and reads system-wide profiles with perf(1).</summary>
internal static class Perf
{
    /// <summary>
    /// Samples per second and processor. Not a round number: the lab's own timers, and the kernel's at 100 to 1,000 Hz, would beat with it.
    /// </summary>
    internal const int Frequency = 1999;

    // 128 + SIGTERM, which perf raises again when it has written its file (record__sig_exit in tools/perf/builtin-record.c).
    private const int Terminated = 143;

    private const string Started = "recording";

    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(10), s_endLimit = TimeSpan.FromSeconds(30);

    // No settings of the user's, no questions to a server of symbols.
    private static readonly string[] s_environment = ["PERF_CONFIG=/dev/null", "DEBUGINFOD_URLS=", "LC_ALL=C", "perf"];

    /// <summary>Finds out whether perf is there and may watch the whole machine.</summary>
    /// <param name="flag">What needs it.</param>
    /// <exception cref="LabException">It is not, or may not.</exception>
    internal static void Check(string flag)
    {
        Tool.Require("perf", flag);
        // perf overwrites the file that it is told, so nobody else may be able to put a link there.
        DirectoryInfo directory = Directory.CreateTempSubdirectory("fflab-");
        try
        {
            (int exitCode, _, string error) = Tool.Try("", "env", [.. s_environment, .. Record(Path.Combine(directory.FullName, "perf.data")), "true"]);
            if (exitCode != 0)
                throw new LabException($"{flag}: perf cannot record the whole machine: {Complaint(error)}; it needs CAP_PERFMON, or kernel.perf_event_paranoid at 0 or less");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>Records the whole machine for some seconds, or until other work is done.</summary>
    /// <param name="file">Where to; the caller removes it.</param>
    /// <param name="seconds">At most so long.</param>
    /// <param name="work">Ends the record when it ends before that, in whatever way.</param>
    /// <param name="cancel">Ends it, too.</param>
    /// <exception cref="LabException">perf failed, for example because the disk is full.</exception>
    internal static async Task RecordAsync(string file, double seconds, Task work, CancellationToken cancel)
    {
        // perf starts the command after it has started the counters, so its first line is the moment from which everything is recorded. The
        // end of the command ends perf, also if the lab was killed.
        string[] command = ["sh", "-c", $"echo {Started}; exec sleep {seconds.ToString(CultureInfo.InvariantCulture)}"];
        using Child perf = Child.Start(null, "env", [.. s_environment, .. Record(file), .. command]);
        try
        {
            await perf.FirstLineAsync(s_startLimit, cancel).ConfigureAwait(false);
            Task<string> end = perf.ResultAsync(TimeSpan.FromSeconds(seconds) + s_endLimit, cancel, Terminated);
            if (await Task.WhenAny(end, work).ConfigureAwait(false) == work) Signals.Terminate(perf.Pid);
            await end.ConfigureAwait(false);
        }
        catch (LabException)
        {
            throw new LabException($"perf record: {Complaint(perf.Log)}");
        }
    }

    /// <summary>Hands every line of a recorded profile to a folder, while perf is still printing.</summary>
    /// <exception cref="LabException">perf failed.</exception>
    internal static async Task ReadAsync(string file, StackFolder folder, CancellationToken cancel)
    {
        // Inlined functions would be asked of addr2line, minutes for a profile of seconds.
        using Process perf = Tool.Start("env", [.. s_environment, "script", "-i", file, "--no-inline", "-F", "comm,pid,ip,sym,dso"]);
        try
        {
            Task<string> error = perf.StandardError.ReadToEndAsync(cancel);
            perf.StandardInput.Close();
            while (await perf.StandardOutput.ReadLineAsync(cancel).ConfigureAwait(false) is { } line) folder.Add(line);
            folder.Finish();
            await perf.WaitForExitAsync(cancel).ConfigureAwait(false);
            if (perf.ExitCode != 0) throw new LabException($"perf script: {Complaint(await error.ConfigureAwait(false))}");
        }
        finally
        {
            if (!perf.HasExited) perf.Kill();
        }
    }

    /// <summary>The line of perf's that says what is wrong, among its headings and its progress.</summary>
    internal static string Complaint(string output)
    {
        foreach (string line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (line is not (Started or "Error:") && !line.StartsWith('[') && !line.StartsWith("Warning:", StringComparison.Ordinal)) return line.TrimEnd('.', ':');
        }
        return "it said nothing";
    }

    // The clock, not the processor's cycles: those stand still while it is idle, and few virtual machines have them. Neither collects nor caches build ids
    // (-B, -N), which would copy programs to ~/.debug after every record.
    private static string[] Record(string file) =>
    [
        "record", "-a", "-g", "-e", "cpu-clock", "-F", Frequency.ToString(CultureInfo.InvariantCulture), "-B", "-N", "--max-size=512M", "-o", file, "--",
    ];
}
