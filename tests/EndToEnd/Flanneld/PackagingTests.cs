using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;

namespace FlannelFast.EndToEnd.Flanneld;

/// <summary>What packages install: unit, drop-in, options file and wrapper.</summary>
public sealed class PackagingTests
{
    private static readonly string s_packaging = SourceTree.PathOf("packaging");

    /// <summary>The unit as the RPM has it, its programs where this repository has them, since systemd looks for them.</summary>
    [Theory]
    [InlineData("flanneld.service")]
    public void Systemd_finds_nothing_wrong_with_the_unit(string unit)
    {
        string text = File.ReadAllText(Path.Combine(s_packaging, "systemd", unit))
            .Replace("/usr/bin/flanneld-start", Path.Combine(s_packaging, "flanneld-start"), StringComparison.Ordinal)
            .Replace("/usr/libexec/flannel/mk-docker-opts.sh", Path.Combine(s_packaging, "mk-docker-opts.sh"), StringComparison.Ordinal);
        string directory = Directory.CreateTempSubdirectory("ffu").FullName;
        try
        {
            File.WriteAllText(Path.Combine(directory, unit), text);
            CommandResult result = Shell.Try("systemd-analyze", "verify", Path.Combine(directory, unit));
            // It also looks at the units of this machine that ours names.
            Assert.DoesNotContain(result.ErrorLines, line => line.Contains("flanneld", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void The_wrapper_turns_the_options_file_into_a_command_line()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        string sysconfig = Path.Combine(cluster.Directory, "flanneld");
        File.WriteAllText(sysconfig, File.ReadAllText(Path.Combine(s_packaging, "sysconfig/flanneld"))
            .Replace("http://127.0.0.1:2379", $"http://{Cluster.RouterAddress}:2379", StringComparison.Ordinal)
            .Replace("FLANNEL_OPTIONS=\"\"", "FLANNEL_OPTIONS=\"-iface=eth0 -ip-masq\"", StringComparison.Ordinal));
        cluster.StartEtcd().Ctl("put", "/coreos.com/network/config", """{"Network":"10.5.0.0/16","Backend":{"Type":"udp"}}""");
        // What systemd does with EnvironmentFile= and ExecStart=/usr/bin/flanneld-start $FLANNEL_OPTIONS.
        var daemon = cluster.Own(new FlanneldProcess(cluster.One,
            ["-c", ". \"$1\"; export FLANNEL_ETCD_ENDPOINTS FLANNEL_ETCD_PREFIX; exec \"$2\" $FLANNEL_OPTIONS", "unit", sysconfig, Path.Combine(s_packaging, "flanneld-start")],
            new Dictionary<string, string> { ["FLANNELD"] = FlanneldProcess.Binary }, "/bin/sh"));
        daemon.WaitUntilReady();
        Assert.Contains($"with -etcd-endpoints=http://{Cluster.RouterAddress}:2379 -etcd-prefix=/coreos.com/network -iface=eth0 -ip-masq=true", daemon.Log, StringComparison.Ordinal);
        Assert.Equal("true", cluster.One.Subnet()["FLANNEL_IPMASQ"]);
    }
}
