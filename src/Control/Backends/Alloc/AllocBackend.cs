using System.Net;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends.Alloc;

/// <summary>Leases a subnet and carries nothing: for hosts whose network reaches the pods by itself.</summary>
internal sealed class AllocBackend : IBackend
{
    private readonly TaskCompletionSource _completion = new();

    private AllocBackend(ExternalInterface external) => Mtu = external.Link.Mtu;

    /// <inheritdoc cref="BackendFactory"/>
    internal static IBackend Prepare(BackendContext context) => new AllocBackend(context.External);

    public BackendAnnouncement Announcement { get; } = new("");

    public int Mtu { get; private set; }

    public Task Completion => _completion.Task;

    public event Action? AnnouncementChanged;

    /// <summary>Never raised: nothing is on the host.</summary>
    public event Action? RepairNeeded
    {
        add { }
        remove { }
    }

    public IReadOnlyList<(IPNetwork Subnet, string Via)> Routes => [];

    public void Start(Lease own)
    {
    }

    public ApplyResult Apply(IReadOnlyCollection<Lease> leases) => ApplyResult.Nothing;

    public void Follow(ExternalInterface external)
    {
        if (external.Link.Mtu == Mtu) return;
        Mtu = external.Link.Mtu;
        AnnouncementChanged?.Invoke();
    }

    public void Dispose() => _completion.TrySetResult();
}
