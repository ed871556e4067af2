using System.Globalization;
using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Rendering;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Workloads;

namespace FlannelFast.Lab.Profiling;

/// <summary>Profiles contenders at workloads, and writes a flame graph and the folded stacks of each.</summary>
/// <param name="directory">Where to; made if it is missing.</param>
internal sealed class Profiler(string directory)
{
    /// <summary>The flag that asks for it.</summary>
    internal const string Flag = "--profile";

    // Traffic programs start, connections open up; nobody wants to see that.
    private static readonly TimeSpan s_lead = TimeSpan.FromSeconds(0.5);

    // A profile of two seconds has 4,000 samples of each processor: a share of 1 % is known within a third of it. A search or several steps are
    // recorded for longer, from their beginning.
    private const double Seconds = 2, LongSeconds = 10, Tail = 0.5;

    private readonly HashSet<string> _names = [];

    /// <summary>Finds out whether perf is there and may do it, and makes the directory.</summary>
    /// <exception cref="LabException">One of these is not so.</exception>
    internal void Prepare()
    {
        Perf.Check(Flag);
        MakeDirectory();
    }

    /// <summary>Makes the directory unless it is there.</summary>
    /// <exception cref="LabException">It cannot be made.</exception>
    internal void MakeDirectory()
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LabException.Input($"{Flag}: expected a directory that can be made or is there: {e.Message}");
        }
    }

    /// <summary>Runs a workload once more with perf beside it.</summary>
    /// <param name="runner">Runs it.</param>
    /// <param name="workload">The workload.</param>
    /// <param name="contender">What carries it.</param>
    /// <param name="workspace">Directory for perf's own file, which is removed.</param>
    /// <param name="doing">Told what goes on.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="LabException">The workload, perf or the disk failed.</exception>
    /// <exception cref="OperationCanceledException">The run is being stopped.</exception>
    internal async Task<ProfileFacts> ProfileAsync(
        WorkloadRunner runner, WorkloadSpec workload, Contender contender, string workspace, Action<string> doing, CancellationToken cancel)
    {
        string data = Path.Combine(workspace, "perf.data");
        try
        {
            doing("recording");
            // With the first round's order of things.
            Task<Outcome> work = runner.RunAsync(Lengthened(workload), contender, 1, _ => { }, cancel);
            try
            {
                await Task.WhenAny(work, Task.Delay(s_lead, cancel)).ConfigureAwait(false);
                await Perf.RecordAsync(data, IsLong(workload) ? LongSeconds : Seconds, work, cancel).ConfigureAwait(false);
            }
            finally
            {
                // Its programs must have ended before the next one's start; and what went wrong with it says more than what perf then saw.
                await work.ConfigureAwait(false);
            }
            doing("folding the stacks");
            var folder = new StackFolder(contender.Daemons);
            await Perf.ReadAsync(data, folder, cancel).ConfigureAwait(false);
            return Write(folder, workload, contender, $"{workload.Title}: {contender.Name}, {runner.Topology.Underlay.Setting}");
        }
        finally
        {
            File.Delete(data);
        }
    }

    /// <summary>The file's name without its ending: no character of a contender's name may lead elsewhere, and no two have the same.</summary>
    internal string FileName(string workload, string contender)
    {
        const int Longest = 120;
        string whole = $"{workload}.{contender}";
        char[] safe = whole.AsSpan(0, Math.Min(whole.Length, Longest)).ToArray();
        for (int i = 0; i < safe.Length; i++)
        {
            if (!char.IsAsciiLetterOrDigit(safe[i]) && !"._-=,+".Contains(safe[i], StringComparison.Ordinal)) safe[i] = '-';
        }
        var name = new string(safe);
        string unique = name;
        for (int i = 2; !_names.Add(unique); i++) unique = string.Create(CultureInfo.InvariantCulture, $"{name}-{i}");
        return unique;
    }

    private static bool IsLong(WorkloadSpec workload) => workload.Kind is WorkloadKind.UdpRate or WorkloadKind.Peers;

    // Long enough for the record, whatever a round takes; nobody wants to wait for half an hour of which two seconds are looked at.
    private static WorkloadSpec Lengthened(WorkloadSpec workload) => workload.Kind switch
    {
        WorkloadKind.UdpRate or WorkloadKind.Peers => workload with { Seconds = Math.Min(workload.Seconds, Seconds) },
        WorkloadKind.Stability => workload with { Seconds = s_lead.TotalSeconds + Seconds + Tail, IntervalSeconds = 0.5 },
        _ => workload with { Seconds = s_lead.TotalSeconds + Seconds + Tail },
    };

    private ProfileFacts Write(StackFolder folder, WorkloadSpec workload, Contender contender, string title)
    {
        SampleTally tally = folder.Tally;
        if (tally.Count == 0) throw new LabException("perf recorded no sample");
        string path = Path.Combine(directory, FileName(workload.Id, contender.Name));
        var facts = new ProfileFacts(
            workload.Id, contender.Name, path + ".svg", tally.Count,
            tally.Percent(FrameKind.Own), tally.Percent(FrameKind.Kernel), tally.Percent(FrameKind.Library), tally.Percent(FrameKind.Idle), tally.Threads(), tally.SystemCalls());
        try
        {
            using (var folded = new StreamWriter(path + ".folded")) folder.Root.WriteFolded(folded);
            File.WriteAllText(facts.FlameGraph, FlameGraph.Draw(folder.Root, title));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"cannot write to {directory}: {e.Message}");
        }
        return facts;
    }
}
