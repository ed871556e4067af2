using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Flanneld;
using FlannelFast.Daemon.Flanneld.GoFlags;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Tests.Flanneld;

public sealed class FlanneldFlagsTests
{
    [Fact]
    public void Usage_shows_every_flag_and_its_default()
    {
        var output = new StringWriter();
        new FlanneldFlags().WriteUsage(output);
        Golden.Check("Daemon.Tests", "flanneld-usage", output.ToString());
    }

    /// <summary>The table of flags of v0.28.9, and what v0.7 still had of glog's.</summary>
    [Theory]
    [InlineData("etcd-endpoints", "http://127.0.0.1:2379")]
    [InlineData("etcd-prefix", "/x")]
    [InlineData("etcd-keyfile", "")]
    [InlineData("etcd-certfile", "")]
    [InlineData("etcd-cafile", "")]
    [InlineData("etcd-username", "u")]
    [InlineData("etcd-password", "p")]
    [InlineData("iface", "eth0")]
    [InlineData("iface-regex", "^eth")]
    [InlineData("iface-can-reach", "192.0.2.1")]
    [InlineData("subnet-file", "/tmp/x")]
    [InlineData("public-ip", "192.0.2.1")]
    [InlineData("public-ipv6", "2001:db8::1")]
    [InlineData("subnet-lease-renew-margin", "5")]
    [InlineData("ip-masq", "true")]
    [InlineData("ip-masq-fully-random-disable", "true")]
    [InlineData("kube-subnet-mgr", "false")]
    [InlineData("kube-api-url", "http://192.0.2.1")]
    [InlineData("kubeconfig-file", "/x")]
    [InlineData("kube-annotation-prefix", "a/b")]
    [InlineData("net-config-path", "/x")]
    [InlineData("set-node-network-unavailable", "false")]
    [InlineData("healthz-ip", "127.0.0.1")]
    [InlineData("healthz-port", "8081")]
    [InlineData("iptables-resync", "10")]
    [InlineData("iptables-forward-rules", "false")]
    [InlineData("ip-blackhole-route", "true")]
    [InlineData("v", "10")]
    [InlineData("vmodule", "x=1")]
    [InlineData("log_backtrace_at", "main.go:1")]
    [InlineData("logtostderr", "true")]
    [InlineData("alsologtostderr", "true")]
    [InlineData("stderrthreshold", "2")]
    [InlineData("log_dir", "/var/log")]
    public void Every_flag_of_stock_is_known_on_the_command_line_and_in_the_environment(string name, string value)
    {
        Assert.NotNull(Parse($"--{name}={value}"));
        string variable = $"FLANNELD_{name.ToUpperInvariant().Replace('-', '_')}";
        Assert.DoesNotContain(Parse([], new() { [variable] = value }).Warnings, warning => warning.Contains("not used", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_flags_everything_is_as_in_stock()
    {
        FlanneldOptions options = Parse();
        Assert.Equal("http://127.0.0.1:4001,http://127.0.0.1:2379, prefix /coreos.com/network", options.Store.Etcd.ToString());
        Assert.Equal("/run/flannel/subnet.env", options.SubnetFile);
        Assert.Equal(TunnelDefaults.SocketPath, options.ControlSocket);
        Assert.Equal((TimeSpan.FromMinutes(60), TimeSpan.FromSeconds(5)), (options.Lease.RenewMargin, options.Firewall.Resync));
        Assert.Equal((false, true, true, false), (options.Firewall.Masquerade, options.Firewall.FullyRandom, options.Firewall.Forward, options.Firewall.BlackholeRoute));
        Assert.Equal((IPAddress.Any, 0), (options.HealthAddress, options.HealthPort));
        Assert.Equal((VxlanDataplane.Auto, LeaseLostPolicy.Reacquire, LogLevel.Information), (options.Dataplane, options.Lease.Policy, options.LogLevel));
        Assert.Equal((null, null, null), (options.InterfaceRules.CanReach, options.InterfaceRules.PublicIP, options.InterfaceRules.PublicIPv6));
        Assert.Empty(options.Warnings);
        Assert.Equal("no flags", options.Summary);
    }

    [Fact]
    public void Interfaces_keep_their_order()
    {
        FlanneldOptions options = Parse("-iface=eth1", "-iface", "10.0.0.1", "--iface-regex=a", "--iface-regex", "b");
        Assert.Equal(["eth1", "10.0.0.1"], options.InterfaceRules.Names);
        Assert.Equal(["a", "b"], options.InterfaceRules.Patterns);
    }

    [Fact]
    public void The_engines_switches_change_only_what_they_name()
    {
        var made = new EngineOptions { Encapsulation = EncapsulationKind.Vxlan, Local = IPAddress.Parse("192.0.2.1"), Port = 8472, Vni = 3 };
        Assert.Equal(made, Parse().Tune(made));
        EngineOptions tuned = Parse("-source-check=peer", "-queues=2", "-source-ports=4", "-tun-offloads=false", "-pause", "0", "-express-lane=off", "-no-source-port-check").Tune(made);
        Assert.Equal(made with
        {
            SourceCheck = SourceCheck.Peer,
            Queues = 2,
            SourcePorts = 4,
            TunOffloads = false,
            Coalesce = false,
            PauseMicroseconds = 0,
            ExpressLane = ExpressLaneMode.Off,
            CheckSourcePort = false,
        }, tuned);
    }

    [Theory]
    [InlineData(LogLevel.Information, "-v=3")]
    [InlineData(LogLevel.Debug, "-v=4")]
    [InlineData(LogLevel.Trace, "-v", "10")]
    public void Verbosity_becomes_a_level(LogLevel level, params string[] words) => Assert.Equal(level, Parse(words).LogLevel);

    [Fact]
    public void The_summary_shows_what_was_given_without_secrets()
    {
        FlanneldOptions options = Parse(
            ["-etcd-username=flannel", "-etcd-password=hunter2", "-ip-masq", "-iface=eth0", "-kube-api-url=https://admin:hunter2@api:6443/x"],
            new() { ["FLANNELD_ETCD_PREFIX"] = "/my prefix" });
        Assert.Equal(
            "-etcd-password=(hidden) -etcd-prefix=\"/my prefix\" -etcd-username=flannel -iface=eth0 -ip-masq=true -kube-api-url=https://(hidden)@api:6443/x",
            options.Summary);
        Assert.DoesNotContain("hunter2", options.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Daemons_with_files_of_their_own_have_sockets_of_their_own()
    {
        string first = Parse("-subnet-file=/vxlan.env").ControlSocket, second = Parse("-subnet-file=/hostgw.env").ControlSocket;
        Assert.Matches(@"^/run/flannelfast/flanneld-[0-9a-f]{8}\.sock$", first);
        Assert.NotEqual(first, second);
        Assert.Equal(first, Parse("-subnet-file=//vxlan.env").ControlSocket);
        Assert.Equal("/x.sock", Parse("-subnet-file=/vxlan.env", "-control-socket=/x.sock").ControlSocket);
    }

    [Theory]
    [InlineData("everything from \"true\" on is not read: the first word that is no flag ends the flags, and a switch takes its value behind '=' only", "--ip-masq", "true", "--iface", "eth1")]
    [InlineData("-log_dir has no effect: the log goes to standard error", "-log_dir=/var/log/k8s/flanneld")]
    [InlineData("-logtostderr=false has no effect: the log goes to standard error", "-logtostderr=false")]
    [InlineData("-kubeconfig-file has no effect without -kube-subnet-mgr", "-kubeconfig-file=/x")]
    public void What_will_not_do_as_expected_is_said(string warning, params string[] words) => Assert.Equal([warning], Parse(words).Warnings);

    [Theory]
    [InlineData("-kube-subnet-mgr: this build keeps leases in etcd or in a directory (-store-dir), not in Kubernetes; run stock flanneld on this host", "-kube-subnet-mgr")]
    [InlineData("-listen: flannel's client and server mode ended with v0.7; let every host talk to etcd itself", "-listen=:8888")]
    [InlineData("-public-ip: expected an IPv4 address, not \"::1\"", "-public-ip=::1")]
    [InlineData("-public-ipv6: expected an IPv6 address, not \"10.0.0.1\"", "-public-ipv6=10.0.0.1")]
    [InlineData("-iface-can-reach: expected an IP address, not \"gateway\"", "-iface-can-reach=gateway")]
    [InlineData("-healthz-port: expected a whole number from -2147483648 to 65535, not \"65536\"", "-healthz-port=65536")]
    [InlineData("-iptables-resync: expected a whole number from 1 to 86400, not \"0\"", "-iptables-resync=0")]
    [InlineData("-dataplane: expected auto or userspace or kernel, not \"xdp\"", "-dataplane=xdp")]
    [InlineData("-etcd-api: expected auto or v3 or v2, not \"3\"", "-etcd-api=3")]
    [InlineData("-lease-lost: expected reacquire or exit, not \"stay\"", "-lease-lost=stay")]
    public void What_cannot_be_used_is_refused(string message, params string[] words) =>
        Assert.Equal(message, Assert.Throws<GoFlagException>(() => Parse(words)).Message);

    [Fact]
    public void A_pattern_that_is_none_is_refused() => Assert.StartsWith(
        "-iface-regex: expected a regular expression (", Assert.Throws<GoFlagException>(() => Parse("-iface-regex=eth(")).Message, StringComparison.Ordinal);

    [Fact]
    public void Tls_files_that_do_not_fit_are_refused() =>
        Assert.Throws<InvalidInputException>(() => Parse("-etcd-endpoints=https://192.0.2.1:2379", "-etcd-certfile=/x"));

    [Fact]
    public void A_bad_variable_is_a_warning_as_in_stock()
    {
        FlanneldOptions options = Parse([], new() { ["FLANNELD_IPTABLES_RESYNC"] = "often" });
        Assert.Equal(TimeSpan.FromSeconds(5), options.Firewall.Resync);
        Assert.StartsWith("FLANNELD_IPTABLES_RESYNC is not used: ", Assert.Single(options.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void The_variable_for_the_version_has_no_effect()
    {
        var flags = new FlanneldFlags();
        Assert.NotNull(flags.Parse([], name => name == "FLANNELD_VERSION" ? "true" : null));
        Assert.False(flags.IsVersionWanted);
    }

    [Theory]
    [InlineData(true, "1")]
    [InlineData(true, "1439")]
    [InlineData(false, "0")]
    [InlineData(false, "1440")]
    [InlineData(false, "-5")]
    public void The_margin_has_bounds_of_its_own(bool isValid, string minutes)
    {
        var flags = new FlanneldFlags();
        flags.Parse([$"-subnet-lease-renew-margin={minutes}"], _ => null);
        Assert.Equal(isValid, flags.HasValidMargin);
    }

    private static FlanneldOptions Parse(params string[] words) => Parse(words, []);

    private static FlanneldOptions Parse(string[] words, Dictionary<string, string> environment) =>
        new FlanneldFlags().Parse(words, environment.GetValueOrDefault) ?? throw new InvalidOperationException("no options");
}
