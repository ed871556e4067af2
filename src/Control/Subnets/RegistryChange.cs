namespace FlannelFast.Control.Subnets;

/// <summary>One change of a registry.</summary>
/// <param name="Key">Relative name.</param>
/// <param name="Entry">The key as it is now; null where it was deleted or ran out.</param>
/// <param name="Revision">When it happened: what to watch after, once it was applied.</param>
internal sealed record RegistryChange(string Key, RegistryEntry? Entry, long Revision);
