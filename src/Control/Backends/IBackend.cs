using System.Net;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends;

/// <summary>
/// Carries packets to the subnets of other hosts. Life: prepared by its factory (which may make a device, because the lease publishes its
/// MAC address), started with the lease, told the peers again and again, disposed. Calls come from one thread at a time.
/// What stays on the host after disposal is what stock flanneld leaves: devices and routes of vxlan and host-gw, nothing of udp.
/// </summary>
internal interface IBackend : IDisposable
{
    /// <summary>What the lease publishes. May change when a device had to be made again; <see cref="AnnouncementChanged"/> tells.</summary>
    BackendAnnouncement Announcement { get; }

    /// <summary>MTU for pods in bytes, FLANNEL_MTU; known after <see cref="Start"/>.</summary>
    int Mtu { get; }

    /// <summary>Ends when the data path ends; faulted when it died by itself, which ends the daemon.</summary>
    Task Completion { get; }

    /// <summary>Raised on any thread when <see cref="Announcement"/> or <see cref="Mtu"/> is another than before: publish it again.</summary>
    event Action? AnnouncementChanged;

    /// <summary>Raised on any thread when something on the host is not as it was left: <see cref="Apply"/> the current leases soon.</summary>
    event Action? RepairNeeded;

    /// <summary>Makes the data path for this host's own subnet.</summary>
    /// <exception cref="IOException">The host refused; the message is one sentence.</exception>
    /// <exception cref="InvalidOperationException">The host contradicts the configuration; likewise.</exception>
    void Start(Lease own);

    /// <summary>
    /// Makes the host's state that of these leases: idempotent, changes only what differs, repairs what others damaged, removes entries of its own kind that
    /// belong to no lease (left by peers that went while no daemon ran) and touches nothing foreign. One bad lease affects that lease only.
    /// </summary>
    /// <param name="leases">The complete set, our own included; each lease not of this backend is ignored where stock ignores it.</param>
    /// <returns>What was done and what could not be done.</returns>
    ApplyResult Apply(IReadOnlyCollection<Lease> leases);

    /// <summary>The underlay has another address or MTU: follow it. <see cref="AnnouncementChanged"/> tells what that changed.</summary>
    void Follow(ExternalInterface external);

    /// <summary>Where packets to a peer's subnet go, for <c>status</c>; one line each, in no particular order.</summary>
    IReadOnlyList<(IPNetwork Subnet, string Via)> Routes { get; }
}
