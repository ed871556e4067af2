using System.Net;
using FlannelFast.Control.Tests.Subnets.Etcd;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Stores;

/// <summary>The published binary looks at a real etcd and prepares it; etcdctl is the witness.</summary>
public sealed class EtcdCommandTests
{
    private const string Config = """{"Network":"172.30.0.0/16","SubnetLen":21,"Backend":{"Type":"vxlan"}}""";
    private const string Lease = """{"PublicIP":"192.0.2.9","BackendType":"vxlan","BackendData":{"VtepMAC":"c6:d2:32:6f:8f:44"}}""";
    private const string Reservation = """{"PublicIP":"192.0.2.7","PublicIPv6":null}""";

    /// <summary>With client certificates, as documents show it, by either API.</summary>
    [Theory]
    [InlineData("v3")]
    [InlineData("v2")]
    public void A_store_is_prepared_over_tls(string api)
    {
        IPAddress address = EtcdServer.NewAddress();
        using TestCertificates tls = new(address);
        using EtcdServer server = EtcdServer.Start(new() { Address = address, Tls = tls, EnableV2 = true });
        string[] store =
        [
            "--etcd-endpoints", server.Endpoint, "--etcd-prefix", "/kubernetes/network", "--etcd-api", api,
            "--etcd-cafile", tls.Authority, "--etcd-certfile", tls.ClientCertificate, "--etcd-keyfile", tls.ClientKey,
        ];
        Check(api, server, store);
    }

    /// <summary>Without a word about the API: v3 as long as v2 has no config, v2 where only that has one.</summary>
    [Theory]
    [InlineData("v3")]
    [InlineData("v2")]
    public void The_api_is_found_by_itself(string api)
    {
        using EtcdServer server = EtcdServer.Start(new() { EnableV2 = true });
        if (api == "v2") Put(api, server, "config", "{}");
        Check(api, server, ["--etcd-endpoints", server.Endpoint, "--etcd-prefix", "/kubernetes/network"]);
    }

    /// <summary>A password from the environment; a wrong one is one line.</summary>
    [Fact]
    public void A_user_and_a_password_are_used()
    {
        using EtcdServer server = EtcdServer.Start();
        server.Ctl("user", "add", "root:s3cret");
        server.Ctl("user", "grant-role", "root", "root");
        server.Ctl("auth", "enable");
        string[] store = ["--etcd-endpoints", server.Endpoint, "--etcd-username", "root"];
        Daemon.Command(["network", "set", Config, .. store, "--etcd-password", "s3cret"]).OrThrow();
        CommandResult refused = Daemon.Command(["leases", .. store, "--etcd-password", "wr0ng"]);
        Assert.Equal(1, refused.ExitCode);
        Assert.DoesNotContain("wr0ng", refused.ToString()[refused.Command.Length..], StringComparison.Ordinal);
        CommandResult listed = Shell.Try("env", ["FLANNELD_ETCD_PASSWORD=s3cret", Daemon.Binary, "leases", .. store]);
        Assert.Contains($"0 leases in etcd v3 at {server.Endpoint}", listed.OrThrow().Output, StringComparison.Ordinal);
    }

    /// <summary>etcd is not there: one line, soon.</summary>
    [Fact]
    public void An_etcd_that_is_not_there_is_one_line()
    {
        foreach (string api in new[] { "auto", "v3", "v2" })
        {
            CommandResult result = Daemon.Command("leases", "--etcd-endpoints", "http://127.0.0.1:1", "--etcd-api", api);
            Assert.Equal((1, ""), (result.ExitCode, result.Output));
            Assert.Contains("http://127.0.0.1:1", result.ErrorLines[^1], StringComparison.Ordinal);
            Assert.StartsWith("flannelfast: etcd", result.ErrorLines[^1], StringComparison.Ordinal);
        }
    }

    private static void Check(string api, EtcdServer server, string[] store)
    {
        Daemon.Command(["network", "set", "--force", Config, .. store]).OrThrow();
        Assert.Equal(Config, Get(api, server, "config"));
        Assert.Contains("of length 21, from 172.30.8.0 to 172.30.248.0", Daemon.Command(["network", "show", .. store]).OrThrow().Output, StringComparison.Ordinal);

        Daemon.Command(["reserve", "172.30.16.0/21", "--public-ip", "192.0.2.7", .. store]).OrThrow();
        Assert.Equal(Reservation, Get(api, server, "subnets/172.30.16.0-21"));
        Put(api, server, "subnets/172.30.24.0-21", Lease, seconds: 3600);
        Put(api, server, "subnets/garbage", "garbage");
        string[] lines = Daemon.Command(["leases", .. store]).OrThrow().Output.TrimEnd().Split('\n');
        Assert.Equal(5, lines.Length);
        Assert.Matches("^172.30.16.0/21 +192.0.2.7 +reserved$", lines[1]);
        Assert.Matches("^172.30.24.0/21 +192.0.2.9 +vxlan +(59 min [0-9]+ s|1 h 0 min) +.*c6:d2:32:6f:8f:44", lines[2]);
        Assert.Equal("ignored: \"garbage\" names no subnet", lines[3]);
        Assert.StartsWith($"2 leases in etcd {api} at {server.Endpoint}, prefix /kubernetes/network", lines[4], StringComparison.Ordinal);
        Assert.Contains("\"public_ip\": \"192.0.2.9\"", Daemon.Command(["leases", "--json", .. store]).OrThrow().Output, StringComparison.Ordinal);

        Daemon.Command(["reserve", "172.30.16.0/21", "--remove", .. store]).OrThrow();
        Assert.DoesNotContain("192.0.2.7", Daemon.Command(["leases", .. store]).OrThrow().Output, StringComparison.Ordinal);
    }

    private static string Get(string api, EtcdServer server, string key) =>
        (api == "v3" ? server.Ctl("get", "--print-value-only", $"/kubernetes/network/{key}") : server.CtlV2("get", $"/kubernetes/network/{key}")).TrimEnd('\n');

    private static void Put(string api, EtcdServer server, string key, string value, int seconds = 0)
    {
        string name = $"/kubernetes/network/{key}";
        if (api == "v2")
        {
            server.CtlV2("set", "--ttl", $"{seconds}", name, value);
            return;
        }
        // "lease 694d7a3f0b1c5a04 granted with TTL(3600s)"
        string[] lease = seconds == 0 ? [] : [$"--lease={server.Ctl("lease", "grant", $"{seconds}").Split(' ')[1]}"];
        server.Ctl(["put", name, value, .. lease]);
    }
}
