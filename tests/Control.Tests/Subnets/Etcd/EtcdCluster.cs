using System.Net;

namespace FlannelFast.Control.Tests.Subnets.Etcd;

/// <summary>Several members of one etcd.</summary>
internal sealed class EtcdCluster : IDisposable
{
    private EtcdCluster(IReadOnlyList<EtcdServer> members) => Members = members;

    internal IReadOnlyList<EtcdServer> Members { get; }

    /// <summary>As -etcd-endpoints takes them.</summary>
    internal string Endpoints => string.Join(',', Members.Select(member => member.Endpoint));

    internal static EtcdCluster Start(int size = 3, EtcdServerSettings? settings = null)
    {
        IPAddress[] addresses = [.. Enumerable.Range(0, size).Select(_ => EtcdServer.NewAddress())];
        string initial = string.Join(',', addresses.Select(address => $"{address}=http://{address}:2380"));
        EtcdCluster cluster = new([.. addresses.Select(address => new EtcdServer((settings ?? new()) with { Address = address, InitialCluster = initial }))]);
        try
        {
            // All first: no member answers before there is a majority.
            foreach (EtcdServer member in cluster.Members) member.Launch();
            foreach (EtcdServer member in cluster.Members) member.WaitUntilReady();
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>The member that leads now.</summary>
    internal EtcdServer Leader() =>
        Members.First(member => member.TryCtl(out string status, "endpoint", "status", "-w", "json") == 0 && IsLeader(status));

    public void Dispose()
    {
        foreach (EtcdServer member in Members) member.Dispose();
    }

    private static bool IsLeader(string status)
    {
        using var document = System.Text.Json.JsonDocument.Parse(status);
        System.Text.Json.JsonElement item = document.RootElement[0].GetProperty("Status");
        return item.GetProperty("leader").GetUInt64() == item.GetProperty("header").GetProperty("member_id").GetUInt64();
    }
}
