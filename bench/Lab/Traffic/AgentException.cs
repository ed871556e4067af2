namespace FlannelFast.Lab.Traffic;

/// <summary>A role could not do its work: the peer is gone, or the kernel refused. One line for the user; exit code 1.</summary>
internal sealed class AgentException(string message) : Exception(message);
