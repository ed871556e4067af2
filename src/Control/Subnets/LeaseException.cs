namespace FlannelFast.Control.Subnets;

/// <summary>A subnet cannot be had. The message is one sentence.</summary>
internal class LeaseException(string message) : Exception(message);
