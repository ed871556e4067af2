using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Dataplane.Packets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>
/// vxlan by the kernel's own device, programmed as stock flanneld programs it, so that either can take over from the other without a packet
/// lost: device, neighbours, forwarding entries and routes stay when this object goes.
/// </summary>
internal sealed class KernelVxlanBackend : IBackend
{
    private readonly NetlinkClient _netlink;
    private readonly NetworkConfig _network;
    private readonly VxlanConfig _config;
    private readonly List<KernelVxlanFamily> _families = [];
    private readonly HostMonitor _monitor;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ExternalInterface _external;
    private LeasedSubnet? _own;
    private (int Mtu, MacAddress? Ipv4, MacAddress? Ipv6) _published;

    private KernelVxlanBackend(BackendContext context, NetlinkClient netlink)
    {
        _netlink = netlink;
        _network = context.Network;
        _config = VxlanConfig.Read(context.Network);
        _external = context.External;
        ILogger log = context.Log.CreateLogger("vxlan");
        foreach (FamilyConfig? family in (FamilyConfig?[])[context.Network.Ipv4, context.Network.Ipv6])
        {
            if (family is not null) _families.Add(new(netlink, log, _config, family, context.External));
        }
        // Listening starts before the state is read, so that no change falls between.
        _monitor = new(change => _families.Exists(family => family.State?.IsDamagedBy(change) == true), () => RepairNeeded?.Invoke(), log, neighbours: true);
    }

    /// <inheritdoc />
    public event Action? AnnouncementChanged;

    /// <inheritdoc />
    public event Action? RepairNeeded;

    /// <inheritdoc />
    public BackendAnnouncement Announcement => new(
        "vxlan", Family(ipv6: false)?.LeaseData.ToJson() ?? default, Family(ipv6: true)?.LeaseData.ToJson() ?? default);

    /// <inheritdoc />
    public int Mtu => _config.PodMtu(_network, _external.Link.Mtu);

    /// <inheritdoc />
    public Task Completion => _completion.Task;

    /// <inheritdoc />
    public IReadOnlyList<(IPNetwork Subnet, string Via)> Routes => [.. _families.SelectMany(family => family.Routes)];

    /// <summary>Makes or takes over the device, whose address the lease publishes.</summary>
    /// <inheritdoc cref="BackendFactory"/>
    internal static IBackend Prepare(BackendContext context)
    {
        NetlinkClient netlink = new();
        KernelVxlanBackend? backend = null;
        try
        {
            backend = new(context, netlink);
            foreach (KernelVxlanFamily family in backend._families) family.EnsureDevice(subnet: null, []);
            backend._published = backend.Published();
            return backend;
        }
        catch
        {
            backend?.Dispose();
            netlink.Dispose();
            throw;
        }
    }

    /// <summary>Whether the kernel would make a vxlan device for this process; asking leaves nothing behind.</summary>
    /// <param name="refusal">Why it would not, in one sentence; null if it would.</param>
    internal static bool IsAvailable(out string? refusal)
    {
        using NetlinkClient netlink = new();
        refusal = netlink.Vxlan.Probe()?.Message;
        return refusal is null;
    }

    /// <inheritdoc />
    public void Start(Lease own)
    {
        _own = own.Subnet;
        foreach (KernelVxlanFamily family in _families) family.EnsureDevice(SubnetOf(family), []);
        PublishIfChanged();
    }

    /// <inheritdoc />
    public ApplyResult Apply(IReadOnlyCollection<Lease> leases)
    {
        List<string> changes = [], failures = [];
        foreach (KernelVxlanFamily family in _families)
        {
            try
            {
                _monitor.Renew();
                family.Apply(SubnetOf(family), leases, changes, failures);
            }
            catch (IOException refused)
            {
                failures.Add(refused.Message);
            }
        }
        PublishIfChanged();
        return new(changes, failures);
    }

    /// <inheritdoc />
    public void Follow(ExternalInterface external)
    {
        foreach (KernelVxlanFamily family in _families) family.Follow(external);
        _external = external;
        // The device follows at the next apply, which knows the peers: with another address it is a new device.
        _monitor.Report();
        PublishIfChanged();
    }

    /// <summary>Stops listening. What was set up on the host stays.</summary>
    public void Dispose()
    {
        _monitor.Dispose();
        _netlink.Dispose();
        _completion.TrySetResult();
    }

    private KernelVxlanFamily? Family(bool ipv6) => _families.Find(family => family.IsIpv6 == ipv6);

    private IPNetwork SubnetOf(KernelVxlanFamily family) =>
        (family.IsIpv6 ? _own?.Ipv6 : _own?.Ipv4) ?? throw new InvalidOperationException($"the lease {_own} has no {(family.IsIpv6 ? "IPv6" : "IPv4")} subnet");

    private (int Mtu, MacAddress? Ipv4, MacAddress? Ipv6) Published() =>
        (Mtu, Family(ipv6: false)?.LeaseData.VtepMac, Family(ipv6: true)?.LeaseData.VtepMac);

    private void PublishIfChanged()
    {
        (int Mtu, MacAddress? Ipv4, MacAddress? Ipv6) now = Published();
        if (now == _published) return;
        _published = now;
        AnnouncementChanged?.Invoke();
    }
}
