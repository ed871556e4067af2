namespace FlannelFast.Tests.Fakes;

/// <summary>
/// Runs asynchronous code on one thread and on a clock of its own: whenever nothing is left to do, time jumps to the next timer. Weeks pass in
/// milliseconds, and the same code with the same random numbers does the same in the same order. Code under test must not leave the
/// thread: no Task.Run, no ConfigureAwait(false).
/// </summary>
internal sealed class VirtualLoop : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _queue = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;

    private VirtualLoop(ManualTimeProvider time) => Time = time;

    private ManualTimeProvider Time { get; }

    /// <summary>Runs the body to its end; what it left running is abandoned.</summary>
    public static void Run(Func<ManualTimeProvider, Task> body)
    {
        SynchronizationContext? before = Current;
        var loop = new VirtualLoop(new());
        SetSynchronizationContext(loop);
        try
        {
            Task task = body(loop.Time);
            while (!task.IsCompleted) loop.Step();
            task.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (Environment.CurrentManagedThreadId != _thread) throw new InvalidOperationException("the code under test left the thread of the virtual clock");
        _queue.Enqueue((d, state));
    }

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    private void Step()
    {
        if (_queue.TryDequeue(out (SendOrPostCallback Callback, object? State) next)) next.Callback(next.State);
        else if (Time.UntilNextTimer is { } wait) Time.Advance(wait);
        else throw new InvalidOperationException("everything waits and no timer runs: a deadlock");
    }
}
