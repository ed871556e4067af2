using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Backends.Support;

/// <summary>A backend without host: remembers what it was told, and does what the test says.</summary>
internal sealed class FakeBackend : IBackend
{
    private readonly Lock _lock = new();
    private readonly List<Lease[]> _applies = [];
    private readonly List<ExternalInterface> _follows = [];

    public Func<IReadOnlyCollection<Lease>, ApplyResult> OnApply { get; set; } = _ => ApplyResult.Nothing;

    public Action<ExternalInterface> OnFollow { get; set; } = _ => { };

    /// <summary>What each apply was given.</summary>
    public Lease[][] Applies
    {
        get
        {
            lock (_lock) return [.. _applies];
        }
    }

    public ExternalInterface[] Follows
    {
        get
        {
            lock (_lock) return [.. _follows];
        }
    }

    public BackendAnnouncement Announcement { get; } = new("fake");

    public int Mtu => 1450;

    public Task Completion { get; } = new TaskCompletionSource().Task;

    public event Action? AnnouncementChanged;

    public event Action? RepairNeeded;

    public IReadOnlyList<(IPNetwork Subnet, string Via)> Routes => [];

    public void Start(Lease own) => AnnouncementChanged?.Invoke();

    public void Damage() => RepairNeeded?.Invoke();

    public ApplyResult Apply(IReadOnlyCollection<Lease> leases)
    {
        lock (_lock) _applies.Add([.. leases]);
        return OnApply(leases);
    }

    public void Follow(ExternalInterface external)
    {
        lock (_lock) _follows.Add(external);
        OnFollow(external);
    }

    public void Dispose()
    {
    }
}
