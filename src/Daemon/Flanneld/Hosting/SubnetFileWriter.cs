using FlannelFast.Control.Files;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>
/// Keeps subnet.env as it should be. A file that cannot be written (disk full, read-only) does not stop the daemon, as with stock; but it is tried
/// again, and until then the daemon is not ready.
/// </summary>
internal sealed class SubnetFileWriter(SubnetFile file, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    private readonly Complaint _complaint = new(time);
    private readonly Lock _lock = new();
    private SubnetFileContent? _wanted;
    private volatile bool _isWritten;

    internal string Path => file.Path;

    /// <summary>The file says what it should.</summary>
    internal bool IsWritten => _isWritten;

    /// <summary>Why it does not; null where it does, or was not tried yet.</summary>
    internal string? Failure => _complaint.Current;

    /// <summary>Writes the file; when that fails, <see cref="RunAsync"/> goes on trying.</summary>
    internal void Write(SubnetFileContent content)
    {
        lock (_lock)
        {
            _wanted = content;
            TryWrite();
        }
    }

    /// <summary>Tries again what failed, until cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(s_interval, time, cancel).ConfigureAwait(false);
            if (_isWritten) continue;
            lock (_lock) TryWrite();
        }
    }

    private void TryWrite()
    {
        try
        {
            file.Write(_wanted!);
            _isWritten = true;
            _complaint.End();
            FlanneldLog.SubnetFileWritten(log, file.Path);
        }
        catch (IOException e)
        {
            _isWritten = false;
            if (_complaint.IsNews(e.Message)) FlanneldLog.SubnetFileFailed(log, e.Message);
        }
    }
}
