namespace FlannelFast.Daemon.Flanneld;

/// <summary>What a daemon does that has lost its lease (-lease-lost).</summary>
internal enum LeaseLossPolicy
{
    /// <summary>Takes the subnet again where it is still free, and ends where another host has it.</summary>
    Reacquire,

    /// <summary>Ends with exit code 0, as stock flanneld.</summary>
    Exit,
}
