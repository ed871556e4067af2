namespace FlannelFast.Control.Processes;

/// <summary>How a program ended and what it wrote, as UTF-8 text.</summary>
/// <param name="ExitCode">Its exit code; 128 and the signal's number where a signal ended it.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Combined">Both, in the order in which they arrived.</param>
/// <param name="IsTruncated">It wrote more than was kept.</param>
internal sealed record ProgramResult(int ExitCode, string Output, string Error, string Combined, bool IsTruncated)
{
    /// <summary>What went wrong in one line: the first thing it wrote to standard error (with the next line where the first only introduces it), and the exit code.</summary>
    internal string Complaint
    {
        get
        {
            string[] lines = Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (lines.Length == 0) return $"exit code {ExitCode}";
            string said = lines[0].EndsWith(':') && lines.Length > 1 ? $"{lines[0]} {lines[1]}" : lines[0];
            return $"{Tunnels.InvalidInputException.Quote(said, limit: 300)[1..^1]} (exit code {ExitCode})";
        }
    }
}
