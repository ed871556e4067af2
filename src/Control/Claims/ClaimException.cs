namespace FlannelFast.Control.Claims;

/// <summary>Another daemon of this host holds what this one would fight it for. The message is one line.</summary>
internal sealed class ClaimException(string message) : Exception(message);
