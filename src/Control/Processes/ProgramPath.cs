namespace FlannelFast.Control.Processes;

/// <summary>Finds programs as a shell does.</summary>
internal static class ProgramPath
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    // Where a service without PATH finds iptables and nft.
    private const string Default = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>The search path of this process.</summary>
    internal static string Current => Environment.GetEnvironmentVariable("PATH") is { Length: > 0 } path ? path : Default;

    /// <summary>
    /// The file that a name stands for; null if there is none. Unlike <see cref="System.Diagnostics.Process"/>, neither the directory of this
    /// program nor the working directory is searched: what lies there was not put there to be run.
    /// </summary>
    /// <param name="program">A name, or a path, which stands for itself.</param>
    /// <param name="searchPath">Directories with colons between them; relative ones are left out.</param>
    internal static string? Find(string program, string searchPath)
    {
        if (program.Contains('/')) return IsProgram(program) ? Path.GetFullPath(program) : null;
        foreach (string directory in searchPath.Split(':'))
        {
            if (!directory.StartsWith('/')) continue;
            string candidate = Path.Combine(directory, program);
            if (IsProgram(candidate)) return candidate;
        }
        return null;
    }

    private static bool IsProgram(string path)
    {
        try
        {
            // Follows links: iptables is one, through /etc/alternatives.
            return File.Exists(path) && (File.GetUnixFileMode(path) & Executable) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
