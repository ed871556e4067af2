using System.Net;
using FlannelFast.Control.Backends.Engine;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Packets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>
/// vxlan by the packet engine, for hosts whose kernel makes no vxlan device: the same leases, frames and device names, so that peers cannot tell.
/// The whole network is routed into the device, not each subnet, so what nobody leases is answered as unreachable. Disposing it removes
/// the devices, unlike the kernel's: without a process nobody reads them, and packets would vanish in silence. Addresses are not learnt, whatever Learning says: the leases name them all.
/// </summary>
internal sealed class EngineVxlanBackend : IBackend, IEngineBackend
{
    private readonly NetlinkClient _netlink;
    private readonly NetworkConfig _network;
    private readonly VxlanConfig _config;
    private readonly List<EngineVxlanFamily> _families = [];
    private readonly HostMonitor? _monitor;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ExternalInterface _external;
    private (int Mtu, MacAddress? Ipv4, MacAddress? Ipv6) _published;

    /// <summary>Prepares the backend with another tunnel than the host's own, for tests.</summary>
    /// <param name="context">What it is prepared with.</param>
    /// <param name="netlink">Host access, owned from here on.</param>
    /// <param name="startTunnel">Makes a tunnel.</param>
    /// <inheritdoc cref="BackendFactory"/>
    internal EngineVxlanBackend(BackendContext context, NetlinkClient netlink, TunnelRuntimeFactory startTunnel)
    {
        _netlink = netlink;
        _network = context.Network;
        _external = context.External;
        _config = VxlanConfig.Read(context.Network);
        // The mark decides who may talk to whom: leaving it out without a word would undo somebody's policy.
        if (_config.Gbp) throw new NetworkConfigException("GBP needs the kernel's vxlan device, the packet engine does not carry the mark: run with -dataplane=kernel, or without GBP");
        foreach (FamilyConfig? family in (FamilyConfig?[])[context.Network.Ipv4, context.Network.Ipv6])
        {
            if (family is not null) _families.Add(new(context, _config, family, netlink, startTunnel, tunnel => _ = ObserveAsync(tunnel)));
        }
        _published = Published();
        if (!_config.DirectRouting) return;
        _monitor = new(change => _families.Exists(family => family.IsDamagedBy(change)), () => RepairNeeded?.Invoke(), context.Log.CreateLogger("vxlan"), neighbours: false);
    }

    public event Action? AnnouncementChanged;

    /// <summary>Raised for direct routes only: a tunnel repairs its device by itself, and peers are in the engine, out of everybody's reach.</summary>
    public event Action? RepairNeeded;

    public BackendAnnouncement Announcement => new(
        "vxlan", Family(ipv6: false)?.LeaseData.ToJson() ?? default, Family(ipv6: true)?.LeaseData.ToJson() ?? default);

    public int Mtu => _config.PodMtu(_network, _external.Link.Mtu);

    public Task Completion => _completion.Task;

    public IReadOnlyList<(IPNetwork Subnet, string Via)> Routes => [.. _families.SelectMany(family => family.Routes)];

    public IReadOnlyList<ITunnelRuntime> Tunnels => [.. _families.Select(family => family.Tunnel).OfType<ITunnelRuntime>()];

    /// <inheritdoc cref="BackendFactory"/>
    internal static IBackend Prepare(BackendContext context)
    {
        HostRequirements.Check();
        NetlinkClient netlink = new();
        try
        {
            return new EngineVxlanBackend(context, netlink, TunnelRuntime.Start);
        }
        catch
        {
            netlink.Dispose();
            throw;
        }
    }

    public void Start(Lease own)
    {
        foreach (EngineVxlanFamily family in _families)
        {
            family.Start((family.IsIpv6 ? own.Subnet.Ipv6 : own.Subnet.Ipv4)
                ?? throw new InvalidOperationException($"the lease {own.Subnet} has no {(family.IsIpv6 ? "IPv6" : "IPv4")} subnet"));
        }
    }

    public ApplyResult Apply(IReadOnlyCollection<Lease> leases)
    {
        List<string> changes = [], failures = [];
        foreach (EngineVxlanFamily family in _families)
        {
            try
            {
                _monitor?.Renew();
                family.Apply(leases, changes, failures);
            }
            catch (IOException refused)
            {
                failures.Add(refused.Message);
            }
        }
        return new(changes, failures);
    }

    public void Follow(ExternalInterface external)
    {
        try
        {
            foreach (EngineVxlanFamily family in _families) family.Follow(external);
            _external = external;
        }
        finally
        {
            if (Published() is var now && now != _published)
            {
                _published = now;
                AnnouncementChanged?.Invoke();
            }
        }
        _monitor?.Report();
    }

    /// <summary>Removes the devices; direct routes stay.</summary>
    public void Dispose()
    {
        _monitor?.Dispose();
        foreach (EngineVxlanFamily family in _families) family.Dispose();
        _netlink.Dispose();
        _completion.TrySetResult();
    }

    private async Task ObserveAsync(ITunnelRuntime tunnel)
    {
        try
        {
            await tunnel.Completion.ConfigureAwait(false);
            // One that was put aside for another has ended as it should.
            if (Tunnels.Contains(tunnel)) _completion.TrySetResult();
        }
#pragma warning disable CA1031 // Whatever killed the data path is for the owner, who waits for Completion.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _completion.TrySetException(failure);
        }
    }

    private EngineVxlanFamily? Family(bool ipv6) => _families.Find(family => family.IsIpv6 == ipv6);

    private (int Mtu, MacAddress? Ipv4, MacAddress? Ipv6) Published() =>
        (Mtu, Family(ipv6: false)?.LeaseData.VtepMac, Family(ipv6: true)?.LeaseData.VtepMac);
}
