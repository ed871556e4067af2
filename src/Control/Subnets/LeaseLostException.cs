namespace FlannelFast.Control.Subnets;

/// <summary>The lease is not this host's any more: its key is gone or somebody else's. The message says which.</summary>
/// <param name="message">One sentence.</param>
/// <param name="isFree">True where the key is gone, so that the subnet may be taken again; false where another host owns it.</param>
internal sealed class LeaseLostException(string message, bool isFree) : LeaseException(message)
{
    internal bool IsFree { get; } = isFree;
}
