namespace FlannelFast.Control.Interfaces;

/// <summary>No interface of this host is the one that was asked for. The message is one line, in stock flannel's words where it has some.</summary>
internal sealed class InterfaceNotFoundException(string message) : Exception(message);
