using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;

namespace FlannelFast.EndToEnd.Docs;

/// <summary>What README.md and docs/operations.md tell a reader to type works as it stands there.</summary>
public sealed class DocumentationTests
{
    /// <summary>Only a control socket each is added: both "hosts" share one file system here.</summary>
    [Fact]
    public void The_two_host_commands_of_the_readme_join_two_hosts()
    {
        IReadOnlyList<string[]> tunnels = Documentation.Commands("README.md", "tunnel");
        Assert.Equal(2, tunnels.Count);
        using TwoNodes nodes = TwoNodes.Create();
        foreach (int n in (int[])[1, 2])
            nodes.Own(Daemon.Start(nodes.Node(n), nodes.SocketPath(n), [.. tunnels[n - 1][1..], "--socket", nodes.SocketPath(n)]));

        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        string[] added = Assert.Single(Documentation.Commands("README.md", "peer add"));
        nodes.Daemons[0].Client(added).OrThrow();
        Assert.Equal(["10.5.2.0/24", "10.5.3.0/24"], nodes.Daemons[0].Status().PeerSubnets);
    }

    [Fact]
    public void The_configuration_file_of_the_operations_page_is_valid_and_runs()
    {
        string json = Assert.Single(Documentation.Blocks("docs/operations.md", "json"));
        using TwoNodes nodes = TwoNodes.Create();
        string file = Path.Combine(nodes.Directory, "flannelfast.json");
        File.WriteAllText(file, json);

        Assert.StartsWith("ok: device ff0 ", Daemon.Command("tunnel", "--config", file, "--check").OrThrow().Output, StringComparison.Ordinal);
        Daemon daemon = nodes.Own(Daemon.Start(nodes.One, nodes.SocketPath(1), "--config", file, "--socket", nodes.SocketPath(1)));
        Assert.Equal(["10.5.2.0/24"], daemon.Status().PeerSubnets);
    }

    /// <summary>Typed line by line; only the store is elsewhere, and nobody types before the daemon is up.</summary>
    [Fact]
    public void The_first_look_of_the_flanneld_page_works()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        string script = Assert.Single(Documentation.Blocks("docs/flanneld.md", "sh"))
            .Replace("/tmp/ff-store", cluster.StoreDirectory, StringComparison.Ordinal)
            .Replace("&\n", "&\nuntil ./dist/flannelfast status 2>/dev/null | grep -q '^state *ready'; do sleep 0.1; done\n", StringComparison.Ordinal);
        string output = cluster.One.Run("bash", "-ec", $"cd '{SourceTree.PathOf("")}'\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n{script}\nwait\ntrap - EXIT").Output;
        Assert.Contains("state        ready", output, StringComparison.Ordinal);
        Assert.Matches("(?m)^10\\.5\\.[0-9]+\\.0/24 +192\\.0\\.2\\.1 +vxlan ", output);
        Assert.Matches("(?m)^FLANNEL_SUBNET=10\\.5\\.[0-9]+\\.1/24$", output);
    }

    /// <summary>Somebody who looks a name up at night must find it.</summary>
    [Fact]
    public void Every_drop_that_status_can_name_is_explained()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        string explained = File.ReadAllText(SourceTree.PathOf("docs/hot-path.md"));
        IReadOnlyDictionary<string, long> drops = nodes.Daemons[0].Status().Ingress.Drops;
        Assert.NotEmpty(drops);
        foreach (string name in drops.Keys) Assert.Contains($"| `{name}` |", explained, StringComparison.Ordinal);
    }
}
