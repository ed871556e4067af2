namespace FlannelFast.Control.Processes;

/// <summary>A program could not be run to its end. The message is one line that names the program.</summary>
internal sealed class ProgramException(string message, bool isMissing = false, Exception? cause = null) : IOException(message, cause)
{
    /// <summary>There is no such program.</summary>
    internal bool IsMissing { get; } = isMissing;
}
