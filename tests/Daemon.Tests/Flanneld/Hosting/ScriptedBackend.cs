using System.Net;
using System.Text.Json;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Daemon.Tests.Flanneld.Hosting;

/// <summary>A backend that carries nothing: writes down what is asked of it, and changes or dies on request.</summary>
internal sealed class ScriptedBackend(BackendContext context, Action<string> happened) : IBackend
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public BackendContext Context { get; } = context;

    public BackendAnnouncement Announcement { get; private set; } = new("scripted", JsonDocument.Parse("{\"n\":1}").RootElement);

    public int Mtu { get; private set; } = 1450;

    public Task Completion => _completion.Task;

    public event Action? AnnouncementChanged;

    public event Action? RepairNeeded
    {
        add { }
        remove { }
    }

    public IReadOnlyList<(IPNetwork Subnet, string Via)> Routes => [];

    public volatile ExternalInterface? Followed;

    public volatile IReadOnlyCollection<Lease> Applied = [];

    public bool IsDisposed { get; private set; }

    public void Start(Lease own) => happened($"backend started with {own.Subnet}");

    public ApplyResult Apply(IReadOnlyCollection<Lease> leases)
    {
        Applied = leases;
        return ApplyResult.Nothing;
    }

    public void Follow(ExternalInterface external) => Followed = external;

    public void Announce(int mtu, string data)
    {
        (Mtu, Announcement) = (mtu, Announcement with { BackendData = JsonDocument.Parse(data).RootElement });
        AnnouncementChanged?.Invoke();
    }

    public void Die(string reason) => _completion.SetException(new IOException(reason));

    public void Dispose() => IsDisposed = true;
}
