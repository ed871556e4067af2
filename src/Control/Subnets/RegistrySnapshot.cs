namespace FlannelFast.Control.Subnets;

/// <summary>All keys of a registry at one revision.</summary>
/// <param name="Entries">In no particular order.</param>
/// <param name="Revision">The revision they were read at: watch after this one.</param>
internal sealed record RegistrySnapshot(IReadOnlyList<RegistryEntry> Entries, long Revision);
