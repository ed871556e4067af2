namespace FlannelFast.Control.Health;

/// <summary>The health server cannot be started. The message is one line.</summary>
internal sealed class HealthServerException(string message) : Exception(message);
