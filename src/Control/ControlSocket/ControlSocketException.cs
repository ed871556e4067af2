namespace FlannelFast.Control.ControlSocket;

/// <summary>The control socket cannot be made, or a request over it failed. The message is one line.</summary>
internal sealed class ControlSocketException(string message) : Exception(message)
{
    /// <summary>True when no daemon listens there.</summary>
    internal bool IsNotRunning { get; init; }

    /// <summary>True when the daemon refused what the user wrote.</summary>
    internal bool IsInvalidInput { get; init; }
}
