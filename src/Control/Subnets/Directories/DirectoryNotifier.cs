namespace FlannelFast.Control.Subnets.Directories;

/// <summary>
/// Tells by inotify (through FileSystemWatcher) that something happened in a store. A hint at most: where inotify cannot be had
/// (fs.inotify.max_user_instances used up, no directory yet) it is silent and the caller's own interval has to do.
/// Safe for concurrent use.
/// </summary>
internal sealed class DirectoryNotifier : IDisposable
{
    // More than that is quicker to find by reading everything.
    private const int MaxTouched = 1000;

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private HashSet<string> _touched = [];
    private bool _isComplete = true;
    private TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FileSystemWatcher? _watcher;

    internal DirectoryNotifier(string path, TimeProvider time)
    {
        _path = path;
        _time = time;
        TryStart();
    }

    /// <summary>Names that were touched below <c>subnets/</c> since the last call, and whether none is missing.</summary>
    internal (IReadOnlyCollection<string> Touched, bool IsComplete) Take()
    {
        // The directory may have been made, or made again, since.
        if (_watcher is null) TryStart();
        lock (_lock)
        {
            var taken = (_touched, _isComplete);
            (_touched, _isComplete) = ([], true);
            if (_wake.Task.IsCompleted) _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return taken;
        }
    }

    /// <summary>Returns when something happened since the last <see cref="Take"/>, or after the time.</summary>
    internal async Task WaitAsync(TimeSpan limit, CancellationToken cancel)
    {
        Task wake;
        lock (_lock) wake = _wake.Task;
        try
        {
            await wake.WaitAsync(limit, _time, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // What the interval is for.
        }
    }

    public void Dispose() => _watcher?.Dispose();

    private void TryStart()
    {
        if (!Directory.Exists(_path)) return;
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new(_path) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite };
            watcher.Created += (_, e) => Touch(e.Name);
            watcher.Changed += (_, e) => Touch(e.Name);
            watcher.Deleted += (_, e) => Touch(e.Name);
            watcher.Renamed += (_, e) =>
            {
                Touch(e.OldName);
                Touch(e.Name);
            };
            watcher.Error += (_, _) => Restart();
            watcher.EnableRaisingEvents = true;
            _watcher = watcher;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            watcher?.Dispose();
        }
    }

    private void Touch(string? name)
    {
        lock (_lock)
        {
            // "subnets/10.5.1.0-24"; everything else only wakes. Hidden names are files that are being written.
            string key = Path.GetFileName(name ?? "");
            if (key.Length > 0 && key[0] == '.') return;
            if (name != key && LeaseKey.IsValid(key)) _touched.Add(key);
            if (_touched.Count > MaxTouched) (_touched, _isComplete) = ([], false);
            _wake.TrySetResult();
        }
    }

    /// <summary>After an overflow, or when the directory went away.</summary>
    private void Restart()
    {
        lock (_lock)
        {
            _isComplete = false;
            _watcher?.Dispose();
            _watcher = null;
            _wake.TrySetResult();
        }
    }
}
