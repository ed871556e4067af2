using System.Net;
using FlannelFast.Control.Tests.Subnets.Etcd;
using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;

namespace FlannelFast.EndToEnd.Docs;

/// <summary>What README.md and docs/migration.md tell a reader to type about flanneld works as it stands there.</summary>
public sealed class FlanneldDocumentationTests
{
    /// <summary>On two hosts that have the three files in their working directory, with etcd where the command says.</summary>
    [Fact]
    public void The_flanneld_command_of_the_readme_joins_two_hosts()
    {
        string[] flags = Assert.Single(Documentation.CommandLines("README.md", "flanneld"));
        using Cluster cluster = Cluster.Create();
        Uri endpoint = new(Assert.Single(flags, flag => flag.StartsWith("-etcd-endpoints=", StringComparison.Ordinal)).Split('=')[1]);
        cluster.Router.Ip("address", "add", $"{endpoint.Host}/32", "dev", "br0");
        EtcdServer etcd = cluster.StartEtcd(tls: true, address: endpoint.Host);
        Assert.Equal(new Uri(etcd.Endpoint), endpoint);
        etcd.Ctl("put", "/coreos.com/network/config", """{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}""");
        TestCertificates tls = cluster.Certificates!;
        foreach (ClusterNode node in cluster.Nodes)
        {
            foreach ((string name, string file) in (ReadOnlySpan<(string, string)>)[("ca.pem", tls.Authority), ("host.pem", tls.ClientCertificate), ("host-key.pem", tls.ClientKey)])
                File.Copy(file, Path.Combine(node.Directory, name));
            cluster.Own(new FlanneldProcess(node, [$"--chdir={node.Directory}", FlanneldProcess.Binary, .. flags], program: "env")).WaitUntilReady();
            node.AddPod();
            Assert.Equal("true", node.Subnet()["FLANNEL_IPMASQ"]);
        }
        cluster.EverybodyMustReachEverybody();
    }

    /// <summary>Only /usr/bin is another directory, and systemctl notes what it was asked for.</summary>
    [Fact]
    public void The_commands_of_the_migration_page_put_one_in_the_place_of_the_other_and_back()
    {
        IReadOnlyList<string> blocks = Documentation.Blocks("docs/migration.md", "sh");
        Assert.Equal(3, blocks.Count);
        string directory = Directory.CreateTempSubdirectory("ffm").FullName;
        try
        {
            string flanneld = Path.Combine(directory, "flanneld"), asked = Path.Combine(directory, "asked");
            const string Stock = "#!/bin/sh\necho stock\n", NoteDown = "#!/bin/sh\necho \"$@\" >>\"${0%/*}/asked\"\n";
            foreach ((string name, string script) in (ReadOnlySpan<(string, string)>)[("flanneld", Stock), ("systemctl", NoteDown)])
            {
                File.WriteAllText(Path.Combine(directory, name), script);
                File.SetUnixFileMode(Path.Combine(directory, name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
            Run(blocks[0]);
            Assert.EndsWith(" (FlannelFast)\n", Shell.Run(flanneld, "-version").Error, StringComparison.Ordinal);
            Run(blocks[2]);
            Assert.Equal("stock\n", Shell.Run(flanneld).Output);
            Assert.Equal(["restart flanneld", "restart flanneld"], File.ReadAllLines(asked));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        void Run(string block) => Shell.Run("env", $"--chdir={SourceTree.PathOf(".")}", $"PATH={directory}:/usr/bin:/bin", "sh", "-ec", block.Replace("/usr/bin/", directory + "/", StringComparison.Ordinal));
    }

    [Fact]
    public void The_commands_of_the_migration_page_that_look_show_what_it_says()
    {
        string look = Documentation.Blocks("docs/migration.md", "sh")[1];
        using Cluster cluster = Cluster.Create();
        EtcdServer etcd = cluster.Own(EtcdServer.Start(new() { Address = IPAddress.Loopback, Launcher = ["ip", "netns", "exec", cluster.One.Netns.Name] }));
        // SubnetMax: the host's own lease is drawn at random; written over, the one below would end its daemon, as another host's should.
        etcd.Ctl("put", "/coreos.com/network/config", """{"Network":"10.5.0.0/16","SubnetMax":"10.5.90.0","Backend":{"Type":"udp"}}""");
        cluster.Start(cluster.One, $"-etcd-endpoints={etcd.Endpoint}", "-iface=eth0").WaitUntilReady();
        etcd.Ctl("put", "/coreos.com/network/subnets/10.5.99.0-24", """{"PublicIP":"192.0.2.2"}""");
        string subnet = cluster.One.LeasedSubnet;
        string[] command = [$"PATH={Path.GetDirectoryName(FlanneldProcess.Binary)}:/usr/bin:/bin", "sh", "-ec", look];
        CommandResult shown = null!;
        Eventually.True(
            () => (shown = cluster.One.Try("env", command)) is { ExitCode: 0, Output: var output } && output.Contains("flannel0 to 192.0.2.2:8285", StringComparison.Ordinal),
            TimeSpan.FromSeconds(20), () => shown.ToString());
        string[] lines = shown.OutputLines;
        Assert.Contains(lines, line => line.StartsWith("state", StringComparison.Ordinal) && line.EndsWith(" ready", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("subnet ", StringComparison.Ordinal) && line.Contains($" {subnet}, lease ends", StringComparison.Ordinal));
        // "leases" is the second of the two.
        string[] leases = lines[(Array.FindLastIndex(lines, line => line.StartsWith("subnet ", StringComparison.Ordinal)) + 1)..];
        Assert.Contains(leases, line => line.Contains("192.0.2.1", StringComparison.Ordinal) && line.Contains(subnet, StringComparison.Ordinal));
        Assert.Contains(leases, line => line.Contains("192.0.2.2", StringComparison.Ordinal) && line.Contains("10.5.99.0/24", StringComparison.Ordinal));
    }
}
