namespace FlannelFast.Control.Subnets;

/// <summary>What a user wants to write contradicts what the store holds. Nothing was changed. The message is one sentence.</summary>
internal sealed class StoreConflictException(string message) : Exception(message);
