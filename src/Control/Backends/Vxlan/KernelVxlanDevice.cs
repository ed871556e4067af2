using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>
/// Keeps one of the kernel's VXLAN devices as it is wanted. <see cref="Ensure"/> is idempotent and changes only what differs, so it serves
/// the first start, a take-over from stock and every repair alike. The Ethernet address stays the same as long as the underlay address
/// does, whatever happens to the device: peers need not be told. One thread at a time.
/// </summary>
/// <param name="netlink">Host access, not owned.</param>
/// <param name="log">Where it reports.</param>
/// <param name="name">"flannel.1".</param>
/// <param name="network">The pod network of the device's family: no address of it but our own may be on the device.</param>
internal sealed class KernelVxlanDevice(NetlinkClient netlink, ILogger log, string name, IPNetwork network)
{
    private int _index;
    private MacAddress? _mac;

    /// <summary>Its VtepMAC; known after the first <see cref="Ensure"/>.</summary>
    internal MacAddress Mac => _mac ?? throw new InvalidOperationException($"{name} was not made yet");

    /// <summary>Makes the device as it is wanted.</summary>
    /// <param name="wanted">What makes it the device it is.</param>
    /// <param name="publicIP">What the host's peers know it by; the address is derived from it where no earlier one can be kept.</param>
    /// <param name="mtu">Bytes of the largest inner packet.</param>
    /// <param name="address">The host's subnet; null before there is a lease: then the device stays as it is, up or down.</param>
    /// <param name="changes">Gets one phrase for each thing that was changed.</param>
    /// <returns>The device.</returns>
    /// <exception cref="IOException">The host refused.</exception>
    internal Link Ensure(VxlanAttributes wanted, IPAddress publicIP, int mtu, IPNetwork? address, List<string> changes)
    {
        Link link = TakeOver(wanted, publicIP, changes) ?? Create(wanted, publicIP, mtu, changes);
        _index = link.Index;
        if (link.Vxlan!.Learning != wanted.Learning)
        {
            netlink.Vxlan.SetLearning(link, wanted.Learning);
            changes.Add($"{name}: learning {(wanted.Learning ? "on" : "off")}");
        }
        if (link.Mtu != mtu)
        {
            netlink.Links.SetMtu(link, mtu);
            changes.Add($"{name}: MTU {mtu}");
        }
        if (address is { } subnet)
        {
            RefuseRouterAdvertisements();
            EnsureAddresses(link, subnet, changes);
            EnsureUp(link, wanted, changes);
        }
        return EnsureMac(link, changes);
    }

    /// <summary>The underlay address changed: an Ethernet address that was derived from the old one may soon be another host's.</summary>
    /// <param name="oldPublicIP">The address before.</param>
    /// <param name="newPublicIP">The address now.</param>
    internal void MoveTo(IPAddress oldPublicIP, IPAddress newPublicIP)
    {
        if (_mac == VtepMac.Derive(oldPublicIP)) _mac = VtepMac.Derive(newPublicIP);
    }

    /// <summary>What keeps a link from being the wanted device: the same list as stock's (vxlanLinksIncompat), and what stock overlooks.</summary>
    private static string? Difference(Link link, VxlanAttributes wanted)
    {
        if (link.Vxlan is not { } found) return $"it is of kind {link.Kind ?? "none"}, not vxlan";
        if (found.CollectMetadata) return "it takes its destination from each packet";
        if (found.Vni != wanted.Vni) return $"its VNI is {found.Vni}, not {wanted.Vni}";
        if (found.LinkIndex != wanted.LinkIndex) return $"its underlay is link {found.LinkIndex}, not {wanted.LinkIndex}";
        if (!Equals(found.Local, wanted.Local)) return $"its local address is {found.Local?.ToString() ?? "not set"}, not {wanted.Local}";
        if (!Equals(found.Group, wanted.Group)) return $"its group is {found.Group}";
        if (found.Port != wanted.Port) return $"its port is {found.Port}, not {wanted.Port}";
        if (found.Gbp != wanted.Gbp) return $"GBP is {(found.Gbp ? "on" : "off")}";
        if (found.L2Miss != wanted.L2Miss) return "l2miss is on";
        return null;
    }

    /// <summary>The device that is there already, or null.</summary>
    private Link? TakeOver(VxlanAttributes wanted, IPAddress publicIP, List<string> changes)
    {
        Link? link = netlink.Links.Find(name) ?? TakeNameBack(changes);
        if (link is null) return null;
        // Stock from 0.27.4 on puts the public address there, also where it is not the host's own (NAT).
        bool isOurs = link.Vxlan?.Local is { } local && (local.Equals(wanted.Local) || local.Equals(publicIP));
        if (isOurs && link.Address is { IsZero: false, IsMulticast: false } found) _mac ??= found;
        _mac ??= VtepMac.Derive(publicIP);
        if (Difference(link, wanted) is not { } difference) return link;
        log.DeviceReplaced(name, difference);
        netlink.Links.TryDelete(link);
        changes.Add($"{name}: deleted, because {difference}");
        return null;
    }

    /// <summary>Our device under another name, renamed; null where it is gone.</summary>
    private Link? TakeNameBack(List<string> changes)
    {
        // The kernel hands out indices in a ring (dev_new_index), so the index of a deleted device is not that of a stranger soon.
        if (_index == 0 || netlink.Links.Find(_index) is not { Vxlan: not null } renamed) return null;
        if (!netlink.Links.TryRename(renamed, name))
        {
            // Before Linux 6.2 a link that is up keeps its name; it comes up again later.
            netlink.Links.SetDown(renamed);
            netlink.Links.Rename(renamed, name);
        }
        changes.Add($"{name}: name, which was {renamed.Name}");
        return netlink.Links.Find(name);
    }

    private Link Create(VxlanAttributes wanted, IPAddress publicIP, int mtu, List<string> changes)
    {
        MacAddress mac = _mac ??= VtepMac.Derive(publicIP);
        if (!netlink.Vxlan.TryCreate(name, mac, mtu, wanted))
        {
            // No link of that name, yet EEXIST: the kernel has one device for each VNI and port (vxlan_vni_in_use).
            Link? rival = netlink.Links.List().Find(link => link.Vxlan is { } other && other.Vni == wanted.Vni && other.Port == wanted.Port);
            throw new IOException($"cannot make {name}: {rival?.Name ?? "a device in another network namespace"} has VNI {wanted.Vni} on port {wanted.Port} already");
        }
        changes.Add($"{name}: made");
        return netlink.Links.Get(name);
    }

    private void EnsureAddresses(Link link, IPNetwork subnet, List<string> changes)
    {
        IPAddress own = subnet.BaseAddress;
        byte family = IPAddressFamily.Of(own);
        int length = 8 * IPAddressFamily.SizeOf(family);
        bool isThere = false;
        List<InterfaceAddress> wrong = [];
        foreach (InterfaceAddress present in netlink.Addresses.List(link))
        {
            if (present.Address.AddressFamily != own.AddressFamily || !network.Contains(present.Address)) continue;
            if (present.Address.Equals(own) && present.PrefixLength == length) isThere = true;
            else wrong.Add(present);
        }
        // No other host answers for it on a point-to-multipoint device: detection would only delay the first packet.
        AddressFlags flags = family == Libc.AF_INET6 ? AddressFlags.NoDad : AddressFlags.None;
        if (!isThere && netlink.Addresses.TryAdd(link, own, length, flags)) changes.Add($"{name}: address {own}/{length}");
        foreach (InterfaceAddress address in wrong)
        {
            if (netlink.Addresses.TryDelete(link, address.Address, address.PrefixLength)) changes.Add($"{name}: address {address} removed");
        }
    }

    private void EnsureUp(Link link, VxlanAttributes wanted, List<string> changes)
    {
        if (link.IsUp) return;
        try
        {
            netlink.Links.SetUp(link);
        }
        catch (NetlinkException refused) when (refused.Errno == Errno.EADDRINUSE)
        {
            throw new IOException($"cannot set {name} up: UDP port {wanted.Port} is in use by another program", refused);
        }
        changes.Add($"{name}: up");
    }

    /// <summary>Reads the device back, after udev and others had their chance (flannel issue 1795).</summary>
    private Link EnsureMac(Link link, List<string> changes)
    {
        Link now = netlink.Links.Get(link.Index);
        if (now.Address == _mac) return now;
        netlink.Links.SetAddress(now, Mac);
        changes.Add($"{name}: VtepMAC {Mac}, which was {now.Address}");
        now = netlink.Links.Get(link.Index);
        return now.Address == _mac ? now : throw new IOException($"{name} has the address {now.Address} although {Mac} was set");
    }

    /// <summary>What a peer sends into the tunnel must not change this host's IPv6 routes.</summary>
    private void RefuseRouterAdvertisements()
    {
        string path = $"/proc/sys/net/ipv6/conf/{name}/accept_ra";
        try
        {
            if (File.Exists(path) && File.ReadAllText(path).Trim() != "0") File.WriteAllText(path, "0");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // Read-only in a container; stock goes on without a word.
            log.SysctlRefused(path, refused.Message);
        }
    }
}
