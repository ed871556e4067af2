namespace FlannelFast.Lab.Traffic;

/// <summary>Dedicated threads of one role; the first error of any of them is the error of the role.</summary>
internal sealed class Workers
{
    private readonly List<Thread> _threads = [];
    private Exception? _error;

    /// <summary>Starts a thread.</summary>
    internal void Start(string name, Action body)
    {
        Thread thread = new(() =>
        {
            try
            {
                body();
            }
            catch (Exception error) when (error is AgentException or IOException)
            {
                Interlocked.CompareExchange(ref _error, error, null);
            }
        })
        { Name = name, IsBackground = true };
        _threads.Add(thread);
        thread.Start();
    }

    /// <summary>Waits for all of them.</summary>
    /// <exception cref="AgentException">One of them failed.</exception>
    internal void Join()
    {
        foreach (Thread thread in _threads) thread.Join();
        if (_error is { } error) throw new AgentException(error.Message);
    }
}
