namespace FlannelFast.Control.Subnets;

/// <summary>What a host does when its lease is gone from the store (-lease-lost).</summary>
internal enum LeaseLostPolicy
{
    /// <summary>Takes the same subnet again if nobody has it, so that pods keep their addresses; else as <see cref="Exit"/>.</summary>
    Reacquire,

    /// <summary>Gives up at once, as stock does.</summary>
    Exit,
}
