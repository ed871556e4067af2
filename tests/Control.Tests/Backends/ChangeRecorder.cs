using System.Collections.Concurrent;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Control.Tests.Backends;

/// <summary>Everything the kernel notifies on a host: whoever claims to have written nothing is held to it.</summary>
internal sealed class ChangeRecorder : IDisposable
{
    private readonly Node _node;
    private readonly BlockingCollection<NetworkChange> _seen = [];
    private readonly NetlinkMonitor _monitor;

    internal ChangeRecorder(Node node)
    {
        _node = node;
        _monitor = node.Do(() => NetlinkMonitor.WithNeighbours(_seen.Add));
    }

    /// <summary>What was seen so far. A change made here marks the end, so that nothing on its way is missed.</summary>
    internal List<NetworkChange> Take()
    {
        _node.Shell("ip address add 203.0.113.77/32 dev lo");
        List<NetworkChange> changes = [];
        while (_seen.TryTake(out NetworkChange? change, TimeSpan.FromSeconds(10)))
        {
            if (change is AddressAdded { Address.Address: var address } && address.ToString() == "203.0.113.77")
            {
                _node.Shell("ip address del 203.0.113.77/32 dev lo");
                // Notified with the marker itself.
                changes.RemoveAll(seen => seen is RouteAdded { Route: var route } && route.Destination.ToString() == "203.0.113.77/32");
                return changes;
            }
            changes.Add(change);
        }
        Assert.Fail("the marker was not notified");
        return changes;
    }

    public void Dispose()
    {
        _monitor.Dispose();
        _seen.Dispose();
    }
}
