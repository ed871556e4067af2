using System.Globalization;
using FlannelFast.Lab.Hosting;

namespace FlannelFast.Lab.Topologies;

/// <summary>
/// What one run of the lab owns on the host: the directory /run/flannelfast-lab/PID and every namespace named
/// fflab-PID-…. The directory is made first and removed last, so a namespace without one belongs to nobody.
/// </summary>
internal sealed class LabState : IDisposable
{
    private const string Root = "/run/flannelfast-lab";
    private const string NamePrefix = "fflab-";
    private const string OwnerFile = "owner";

    private readonly FileStream _lock;
    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"{NamePrefix}{Environment.ProcessId}-");

    private LabState(FileStream held) => _lock = held;

    /// <summary>Files of this run: control sockets, configurations.</summary>
    internal string Directory { get; } = string.Create(CultureInfo.InvariantCulture, $"{Root}/{Environment.ProcessId}");

    /// <summary>
    /// Waits until no other lab measures (two would measure each other), removes what a killed one left, and takes the machine.
    /// </summary>
    /// <param name="notice">Told once if another lab has to be waited for, and what was cleaned.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="LabException">No rights.</exception>
    internal static async Task<LabState> AcquireAsync(Action<string> notice, CancellationToken cancel)
    {
        FileStream? held;
        try
        {
            System.IO.Directory.CreateDirectory(Root);
            for (bool told = false; (held = TryLock()) is null; await Task.Delay(100, cancel).ConfigureAwait(false))
            {
                if (!told) notice("another lab measures on this machine: waiting for its end");
                told = true;
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new LabException($"{e.Message.TrimEnd('.')}: the lab needs root");
        }
        var state = new LabState(held);
        try
        {
            foreach (string removed in Clean()) notice($"removed what a killed lab left: {removed}");
            System.IO.Directory.CreateDirectory(state.Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            long started = ProcessTable.StartTime(Environment.ProcessId) ?? throw new LabException("/proc is not mounted");
            File.WriteAllText($"{state.Directory}/{OwnerFile}", started.ToString(CultureInfo.InvariantCulture));
            return state;
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    /// <summary>Makes a namespace that belongs to this run.</summary>
    internal NetworkNamespace CreateNamespace(string name) => NetworkNamespace.Create(_prefix + name);

    /// <summary>Removes what labs left that no longer run. Leaves running ones alone.</summary>
    /// <returns>The names of what was removed.</returns>
    internal static IReadOnlyList<string> Clean()
    {
        var removed = new List<string>();
        foreach (string name in NetworkNamespace.Names(NamePrefix))
        {
            if (IsOwned(name[NamePrefix.Length..].Split('-')[0])) continue;
            NetworkNamespace.Remove(name);
            removed.Add($"namespace {name}");
        }
        if (!System.IO.Directory.Exists(Root)) return removed;
        foreach (string directory in System.IO.Directory.GetDirectories(Root))
        {
            if (IsOwned(Path.GetFileName(directory))) continue;
            Delete(directory);
            removed.Add(directory);
        }
        return removed;
    }

    /// <summary>Removes everything this run owns.</summary>
    public void Dispose()
    {
        try
        {
            foreach (string name in NetworkNamespace.Names(_prefix)) NetworkNamespace.Remove(name);
            Delete(Directory);
        }
        finally
        {
            _lock.Dispose();
        }
    }

    // The start time tells a lab from a later process that got its number.
    private static bool IsOwned(string pid)
    {
        if (!int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int id)) return false;
        string owner = $"{Root}/{pid}/{OwnerFile}";
        return ProcessTable.StartTime(id) is { } started &&
            (!File.Exists(owner) || File.ReadAllText(owner) == started.ToString(CultureInfo.InvariantCulture));
    }

    private static void Delete(string directory)
    {
        if (System.IO.Directory.Exists(directory)) System.IO.Directory.Delete(directory, recursive: true);
    }

    private static FileStream? TryLock()
    {
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB): the kernel releases it with the last descriptor, however the process ends.
            return new FileStream($"{Root}/lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
