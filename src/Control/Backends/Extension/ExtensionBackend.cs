using System.Buffers;
using System.Net;
using System.Text.Json;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends.Extension;

/// <summary>
/// Has commands of the network config carry the packets: one before and one after the lease is there, one for each other host that comes and
/// one for each that goes. Environment and standard input are stock's. What stock does not do: a command that failed is run again at the next
/// apply, one that hangs is killed, and a lease that was only renewed is not added again. What was added while another daemon ran is not known here.
/// </summary>
internal sealed class ExtensionBackend : IBackend
{
    internal const string BackendType = "extension";

    /// <summary>For each of the two commands of the start, which may have to wait for something.</summary>
    private static readonly TimeSpan s_startDeadline = TimeSpan.FromSeconds(60);

    private readonly NetworkConfig _network;
    private readonly ExtensionConfig _config;
    private readonly TaskCompletionSource _completion = new();
    // Commands that failed at the last apply: they come last, so that one that hangs does not use up everybody's time again and again.
    private readonly HashSet<LeasedSubnet> _failed = [];
    private volatile Dictionary<LeasedSubnet, LeaseAttributes> _added = [];
    private ExternalInterface _external;
    private LeasedSubnet? _own;

    private ExtensionBackend(BackendContext context)
    {
        _network = context.Network;
        _config = ExtensionConfig.Read(context.Network);
        _external = context.External;
        Announcement = new(BackendType, _config.PreStartup.IsEmpty ? default : ToJson(CommandRunner.Run(_config.PreStartup, new Dictionary<string, string>(), "", s_startDeadline)));
    }

    /// <summary>Runs PreStartupCommand.</summary>
    /// <inheritdoc cref="BackendFactory"/>
    internal static IBackend Prepare(BackendContext context) => new ExtensionBackend(context);

    public BackendAnnouncement Announcement { get; }

    public int Mtu => _external.Link.Mtu;

    public Task Completion => _completion.Task;

    public event Action? AnnouncementChanged;

    /// <summary>Never raised: what the commands made, they know alone.</summary>
    public event Action? RepairNeeded
    {
        add { }
        remove { }
    }

    public IReadOnlyList<(IPNetwork Subnet, string Via)> Routes =>
        [.. _added.Where(added => added.Key.Ipv4 is not null).Select(added => (added.Key.Ipv4!.Value, $"{added.Value.PublicIP} by SubnetAddCommand"))];

    /// <summary>Runs PostStartupCommand.</summary>
    public void Start(Lease own)
    {
        _own = own.Subnet;
        if (_config.PostStartup.IsEmpty) return;
        CommandRunner.Run(_config.PostStartup, new Dictionary<string, string>
        {
            ["NETWORK"] = $"{_network.Ipv4?.Network}",
            ["SUBNET"] = $"{own.Subnet.Ipv4}",
            ["IPV6SUBNET"] = $"{own.Subnet.Ipv6}",
            ["PUBLIC_IP"] = $"{own.Attributes.PublicIP}",
            ["PUBLIC_IPV6"] = $"{own.Attributes.PublicIPv6}",
        }, "", s_startDeadline);
    }

    public ApplyResult Apply(IReadOnlyCollection<Lease> leases)
    {
        var wanted = new Dictionary<LeasedSubnet, LeaseAttributes>(leases.Count);
        foreach (Lease lease in leases)
        {
            if (lease.Subnet != _own && lease.Attributes.BackendType == BackendType && lease.Subnet.Ipv4 is not null) wanted[lease.Subnet] = lease.Attributes;
        }
        List<Work> work = [];
        // Removals first: another host may have the address of one that went.
        foreach ((LeasedSubnet subnet, LeaseAttributes attributes) in _added)
        {
            if (!wanted.ContainsKey(subnet)) work.Add(new(subnet, attributes, Remove: true));
        }
        foreach ((LeasedSubnet subnet, LeaseAttributes attributes) in wanted)
        {
            if (!_added.TryGetValue(subnet, out LeaseAttributes? known) || known != attributes) work.Add(new(subnet, attributes, Remove: false));
        }
        if (work.Count == 0) return ApplyResult.Nothing;

        var added = new Dictionary<LeasedSubnet, LeaseAttributes>(_added);
        var round = new CommandRound();
        foreach ((LeasedSubnet subnet, LeaseAttributes attributes, bool remove) in work.OrderBy(item => _failed.Contains(item.Subnet)))
        {
            if (!round.HasTime) break;
            if (!round.TryRun(remove ? _config.SubnetRemove : _config.SubnetAdd, subnet, attributes))
            {
                _failed.Add(subnet);
                continue;
            }
            _failed.Remove(subnet);
            if (remove) added.Remove(subnet);
            else added[subnet] = attributes;
            round.Changes.Add($"{subnet} at {attributes.PublicIP} {(remove ? "removed" : "added")}");
        }
        _failed.RemoveWhere(subnet => !wanted.ContainsKey(subnet) && !added.ContainsKey(subnet));
        _added = added;
        return round.End();
    }

    public void Follow(ExternalInterface external)
    {
        int before = Mtu;
        _external = external;
        if (Mtu != before) AnnouncementChanged?.Invoke();
    }

    /// <summary>Runs nothing: stock has no command for it, and packets go on.</summary>
    public void Dispose() => _completion.TrySetResult();

    private static JsonElement ToJson(string text)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes)) writer.WriteStringValue(text);
        using JsonDocument document = JsonDocument.Parse(bytes.WrittenMemory);
        return document.RootElement.Clone();
    }

    private sealed record Work(LeasedSubnet Subnet, LeaseAttributes Attributes, bool Remove);
}
