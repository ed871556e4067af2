using System.Net;
using System.Text;
using System.Text.Json;
using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Subnets;

/// <summary>A cluster's store and one host's way to it.</summary>
internal sealed class StoreRig
{
    public static readonly TimeSpan Day = TimeSpan.FromHours(24);

    public StoreRig(ManualTimeProvider time, string network = """{"Network":"10.5.0.0/16"}""", int seed = 1, RegistryStoreOptions? options = null)
    {
        (Time, Network) = (time, Parse(network));
        Cluster = new(time) { Config = Encoding.UTF8.GetBytes(network) };
        Registry = new(Cluster, time, "us");
        Store = new(Registry, time, new(seed), Log, options);
    }

    public ManualTimeProvider Time { get; }

    public NetworkConfig Network { get; }

    public FakeStore Cluster { get; }

    public FakeRegistry Registry { get; }

    public RegistrySubnetStore Store { get; }

    public LogRecorder Log { get; } = new();

    public string[] Keys => [.. Cluster.List().Entries.Select(entry => entry.Key)];

    public static NetworkConfig Parse(string json) => NetworkConfigParser.Parse(Encoding.UTF8.GetBytes(json));

    public static LeaseAttributes Host(string address) => new() { PublicIP = IPAddress.Parse(address) };

    public static LeaseAttributes Vxlan(string address, string mac) =>
        Host(address) with { BackendType = "vxlan", BackendData = JsonDocument.Parse($$"""{"VNI":1,"VtepMAC":"{{mac}}"}""").RootElement.Clone() };

    public static string Value(string address) => $$"""{"PublicIP":"{{address}}","PublicIPv6":null}""";

    public static LeasedSubnet Subnet(string ipv4, string? ipv6 = null) => new(IPNetwork.Parse(ipv4), ipv6 is null ? null : IPNetwork.Parse(ipv6));

    public void Put(string key, string address, TimeSpan? timeToLive) => Cluster.Put("them", key, Value(address), timeToLive);

    public void Put(string key, string address) => Put(key, address, Day);

    public Task<Lease> AcquireAsync(string address = "192.0.2.1", LeasedSubnet? previous = null) =>
        Store.AcquireAsync(new(Network, Host(address), previous), TestContext.Current.CancellationToken);

    public string? ValueOf(string key) => Cluster.Read(key) is { } entry ? Encoding.UTF8.GetString(entry.Value.Span) : null;
}
