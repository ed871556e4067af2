namespace FlannelFast.Lab.Reports;

/// <summary>A contender of a run.</summary>
/// <param name="Name">Name.</param>
/// <param name="Command">Command template of an exec contender.</param>
/// <param name="Binary">Path of another build of this program.</param>
/// <param name="ValidatedBytes">Payload that arrived intact, by hash, before anything was timed.</param>
internal sealed record ContenderFacts(string Name, string? Command, string? Binary, long ValidatedBytes);
