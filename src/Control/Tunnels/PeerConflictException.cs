namespace FlannelFast.Control.Tunnels;

/// <summary>A well-formed change does not fit the peers as they are now. The message is one line; nothing was changed.</summary>
internal sealed class PeerConflictException(string message) : Exception(message);
