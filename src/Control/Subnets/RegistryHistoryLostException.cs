namespace FlannelFast.Control.Subnets;

/// <summary>The changes asked for were compacted away, or the store's revision went backwards: only a fresh list helps.</summary>
internal sealed class RegistryHistoryLostException(string message) : IOException(message);
