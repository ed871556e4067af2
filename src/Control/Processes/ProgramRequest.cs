namespace FlannelFast.Control.Processes;

/// <summary>One run of a program. No shell: the arguments arrive as they stand here.</summary>
/// <param name="Program">A path, or a name that is looked up in PATH.</param>
/// <param name="Arguments">One string per argument.</param>
internal sealed record ProgramRequest(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>What the program reads from standard input, which is then at its end.</summary>
    internal ReadOnlyMemory<byte> Input { get; init; }

    /// <summary>Variables to set, or to remove where the value is null, on top of those inherited.</summary>
    internal IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Whether the program gets the daemon's own variables, among which may be passwords (FLANNELD_ETCD_PASSWORD). PATH it gets in any case.</summary>
    internal bool InheritsEnvironment { get; init; }

    /// <summary>How long it may take; then it is killed with everything it started.</summary>
    internal TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Bytes kept of each of <see cref="ProgramResult.Output"/>, <see cref="ProgramResult.Error"/> and <see cref="ProgramResult.Combined"/>;
    /// what is beyond is read and thrown away.
    /// </summary>
    internal int MaxOutput { get; init; } = 1024 * 1024;

    /// <summary>Which lines of standard output are kept; all where null. For long outputs of which little is wanted.</summary>
    internal Func<ReadOnlySpan<byte>, bool>? KeepLine { get; init; }

    /// <summary>"iptables-restore --noflush --wait 5". For messages only.</summary>
    public override string ToString() => Arguments.Count == 0 ? Program : $"{Program} {string.Join(' ', Arguments)}";
}
