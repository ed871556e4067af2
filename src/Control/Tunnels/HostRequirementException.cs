namespace FlannelFast.Control.Tunnels;

/// <summary>The host lacks something a tunnel needs. The message is one line that says what to do.</summary>
internal sealed class HostRequirementException(string message) : IOException(message);
