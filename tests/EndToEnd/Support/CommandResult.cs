namespace FlannelFast.EndToEnd.Support;

/// <summary>How a program ended and what it wrote.</summary>
/// <param name="Command">The command line, for messages.</param>
/// <param name="ExitCode">Exit code; 128 and the signal's number when a signal ended it.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record CommandResult(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>Lines of standard output, without the empty one at the end.</summary>
    public string[] OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Lines of standard error, without the empty one at the end.</summary>
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>This result, or an exception that shows everything when the program failed.</summary>
    public CommandResult OrThrow() => ExitCode == 0 ? this : throw new InvalidOperationException(ToString());

    /// <inheritdoc />
    public override string ToString() => $"{Command}\nexit code {ExitCode}\n{Output}{Error}";
}
