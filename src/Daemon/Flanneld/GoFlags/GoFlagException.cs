using FlannelFast.Control.Tunnels;

namespace FlannelFast.Daemon.Flanneld.GoFlags;

/// <summary>The command line is not one of this program. The message is one line.</summary>
internal sealed class GoFlagException(string message) : Exception(message)
{
    internal static GoFlagException Unexpected(string flag, string expected, string text) =>
        new($"-{flag}: expected {expected}, not {InvalidInputException.Quote(text)}");
}
