namespace FlannelFast.Control.Subnets;

/// <summary>The network config is not there or cannot be used. The message is one sentence, in stock flannel's words where it has some.</summary>
internal sealed class NetworkConfigException(string message) : Exception(message);
