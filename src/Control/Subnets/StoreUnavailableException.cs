namespace FlannelFast.Control.Subnets;

/// <summary>
/// The store could not be reached, did not answer in time, or refused for a reason that may pass (no leader, credentials not accepted yet).
/// The message is one line without secrets that names the endpoint. What a write did is unknown: read before writing again.
/// </summary>
internal sealed class StoreUnavailableException(string message, Exception? cause = null) : IOException(message, cause);
