namespace FlannelFast.Dataplane.Engine;

/// <summary>How the kernel schedules a worker among the programs of the host.</summary>
internal enum Urgency
{
    /// <summary>As any program (nice 0): the state of a busy worker where its system calls take long.</summary>
    Fair,

    /// <summary>Before ordinary programs where both want to run (nice -15): the state of a worker with little to do.</summary>
    Prompt,

    /// <summary>At once (SCHED_RR, the lowest real-time priority), as a kernel device's softirq is: the state of a busy worker.</summary>
    RealTime,
}
