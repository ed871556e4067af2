namespace FlannelFast.Control.Subnets;

/// <summary>One change of a registry.</summary>
/// <param name="Key">Relative name.</param>
/// <param name="Entry">The key as it is now; null where it was deleted or ran out.</param>
/// <param name="Revision">When it happened.</param>
/// <param name="IsLast">False where more changes of that revision follow: whoever watches on after it would miss them.</param>
internal sealed record RegistryChange(string Key, RegistryEntry? Entry, long Revision, bool IsLast = true);
