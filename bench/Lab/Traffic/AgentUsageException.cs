namespace FlannelFast.Lab.Traffic;

/// <summary>What was asked of a role is wrong. One line for the user; exit code 2.</summary>
internal sealed class AgentUsageException(string message) : Exception(message);
