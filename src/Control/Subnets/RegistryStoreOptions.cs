namespace FlannelFast.Control.Subnets;

/// <summary>The times a <see cref="RegistrySubnetStore"/> works by. The defaults are those of a cluster shared with stock hosts.</summary>
internal sealed record RegistryStoreOptions
{
    /// <summary>How long a lease lives without renewal; stock has 24 h fixed.</summary>
    internal TimeSpan TimeToLive { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Longest time between two full reads; each is up to a quarter sooner, so that the hosts of a cluster do not read in step.</summary>
    internal TimeSpan RelistInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>First wait after a failure; each further one is twice as long.</summary>
    internal TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Where the waits stop growing, and how long a watch must have lived to count as working.</summary>
    internal TimeSpan LongestBackoff { get; init; } = TimeSpan.FromSeconds(5);
}
