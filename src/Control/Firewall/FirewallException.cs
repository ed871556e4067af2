namespace FlannelFast.Control.Firewall;

/// <summary>The rules could not be read or set. The message is one line.</summary>
internal sealed class FirewallException(string message, bool isMissing = false, Exception? cause = null) : IOException(message, cause)
{
    /// <summary>The program that sets them is not on this host.</summary>
    internal bool IsMissing { get; } = isMissing;
}
