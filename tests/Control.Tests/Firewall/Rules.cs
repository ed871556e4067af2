using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FlannelFast.Control.Files;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Firewall;

/// <summary>Rule sets and configs of the tests, and stock's golden texts (e2e/rules.go and trafficmngr of v0.28.9).</summary>
internal static class Rules
{
    public static readonly RuleSet Ipv4 = New("10.5.0.0/16", "10.5.72.0/24");
    public static readonly RuleSet Ipv6 = New("fc00::/48", "fc00:0:0:1::/64");

    public static RuleSet New(string network, string subnet) => new()
    {
        Family = IPNetwork.Parse(network).BaseAddress.AddressFamily,
        Network = IPNetwork.Parse(network),
        Subnet = IPNetwork.Parse(subnet),
        WantsMasquerade = true,
        WantsForward = true,
    };

    public static NetworkConfig Config(bool nftables = false, string? ipv4 = "10.5.0.0/16", string? ipv6 = null) => new()
    {
        Ipv4 = ipv4 is null ? null : new(IPNetwork.Parse(ipv4), 24, IPAddress.Any, IPAddress.Any),
        Ipv6 = ipv6 is null ? null : new(IPNetwork.Parse(ipv6), 64, IPAddress.IPv6Any, IPAddress.IPv6Any),
        EnableNFTables = nftables,
        Backend = new("udp", default(JsonElement)),
    };

    public static FirewallSettings Settings(NetworkConfig config, string subnet, FirewallOptions options, string subnetFile = "") => new(
        config, new(IPNetwork.Parse(subnet), config.Ipv6 is null ? null : IPNetwork.Parse("fc00:0:0:1::/64")), PreviousSubnets.Parse(subnetFile), options);

    /// <summary>-S FLANNEL-POSTRTG of stock.</summary>
    public static string[] Postrouting(string n, string s, string multicast = "224.0.0.0/4", string fully = " --random-fully") =>
    [
        "-N FLANNEL-POSTRTG",
        "-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment \"flanneld masq\" -j RETURN",
        $"-A FLANNEL-POSTRTG -s {s} -d {n} -m comment --comment \"flanneld masq\" -j RETURN",
        $"-A FLANNEL-POSTRTG -s {n} -d {s} -m comment --comment \"flanneld masq\" -j RETURN",
        $"-A FLANNEL-POSTRTG ! -s {n} -d {s} -m comment --comment \"flanneld masq\" -j RETURN",
        $"-A FLANNEL-POSTRTG -s {n} ! -d {multicast} -m comment --comment \"flanneld masq\" -j MASQUERADE{fully}",
        $"-A FLANNEL-POSTRTG ! -s {n} -d {n} -m comment --comment \"flanneld masq\" -j MASQUERADE{fully}",
    ];

    /// <summary>-S FLANNEL-FWD of stock.</summary>
    public static string[] Forward(string n) =>
    [
        "-N FLANNEL-FWD",
        $"-A FLANNEL-FWD -s {n} -m comment --comment \"flanneld forward\" -j ACCEPT",
        $"-A FLANNEL-FWD -d {n} -m comment --comment \"flanneld forward\" -j ACCEPT",
    ];

    public const string MasqueradeJump = "-A POSTROUTING -m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG";
    public const string ForwardJump = "-A FORWARD -m comment --comment \"flanneld forward\" -j FLANNEL-FWD";

    /// <summary><c>nft list chain ip flannel-ipv4 postrtg</c> of stock.</summary>
    public static string NftPostrouting(string n, string s, string ip = "ip", string multicast = "224.0.0.0/4", string fully = " fully-random") =>
        $"table {ip} flannel-{(ip == "ip" ? "ipv4" : "ipv6")} {{\n\tchain postrtg {{\n\t\tcomment \"chain to manage traffic masquerading by flannel\"\n" +
        "\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t\tmeta mark 0x00004000 return\n" +
        $"\t\t{ip} saddr {s} {ip} daddr {n} return\n\t\t{ip} saddr {n} {ip} daddr {s} return\n\t\t{ip} saddr != {s} {ip} daddr {n} return\n" +
        $"\t\t{ip} saddr {n} {ip} daddr != {multicast} masquerade{fully}\n\t\t{ip} saddr != {n} {ip} daddr {n} masquerade{fully}\n\t}}\n}}\n";

    /// <summary><c>nft list chain ip flannel-ipv4 forward</c> of stock.</summary>
    public static string NftForward(string n, string ip = "ip") =>
        $"table {ip} flannel-{(ip == "ip" ? "ipv4" : "ipv6")} {{\n\tchain forward {{\n\t\tcomment \"chain to accept flannel traffic\"\n" +
        $"\t\ttype filter hook forward priority filter; policy accept;\n\t\t{ip} saddr {n} accept\n\t\t{ip} daddr {n} accept\n\t}}\n}}\n";

    /// <summary>What flannel of each age put where, for N = 10.5.0.0/16 and S = 10.5.9.0/24, as input of iptables-restore.</summary>
    public static TheoryData<string, string> OldFlannels => new()
    {
        { "0.7", "*nat\n-A POSTROUTING -s 10.5.0.0/16 -d 10.5.0.0/16 -j RETURN\n-A POSTROUTING -s 10.5.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE\n"
            + "-A POSTROUTING ! -s 10.5.0.0/16 -d 10.5.0.0/16 -j MASQUERADE\nCOMMIT\n" },
        { "0.11", "*nat\n-A POSTROUTING -s 10.5.0.0/16 -d 10.5.0.0/16 -j RETURN\n-A POSTROUTING -s 10.5.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE --random-fully\n"
            + "-A POSTROUTING ! -s 10.5.0.0/16 -d 10.5.9.0/24 -j RETURN\n-A POSTROUTING ! -s 10.5.0.0/16 -d 10.5.0.0/16 -j MASQUERADE --random-fully\nCOMMIT\n"
            + "*filter\n-A FORWARD -s 10.5.0.0/16 -j ACCEPT\n-A FORWARD -d 10.5.0.0/16 -j ACCEPT\nCOMMIT\n" },
        { "0.19", "*nat\n-A POSTROUTING -s 10.5.0.0/16 -d 10.5.0.0/16 -m comment --comment \"flanneld masq\" -j RETURN\n"
            + "-A POSTROUTING -s 10.5.0.0/16 ! -d 224.0.0.0/4 -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully\n"
            + "-A POSTROUTING ! -s 10.5.0.0/16 -d 10.5.9.0/24 -m comment --comment \"flanneld masq\" -j RETURN\n"
            + "-A POSTROUTING ! -s 10.5.0.0/16 -d 10.5.0.0/16 -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully\nCOMMIT\n"
            + "*filter\n-A FORWARD -s 10.5.0.0/16 -m comment --comment \"flanneld forward\" -j ACCEPT\n"
            + "-A FORWARD -d 10.5.0.0/16 -m comment --comment \"flanneld forward\" -j ACCEPT\nCOMMIT\n" },
        { "0.20", "*nat\n:FLANNEL-POSTRTG - [0:0]\n-I POSTROUTING -m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG\n"
            + "-A FLANNEL-POSTRTG -s 10.5.0.0/16 -d 10.5.0.0/16 -m comment --comment \"flanneld masq\" -j RETURN\n"
            + "-A FLANNEL-POSTRTG -s 10.5.0.0/16 ! -d 224.0.0.0/4 -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully\n"
            + "-A FLANNEL-POSTRTG ! -s 10.5.0.0/16 -d 10.5.9.0/24 -m comment --comment \"flanneld masq\" -j RETURN\n"
            + "-A FLANNEL-POSTRTG ! -s 10.5.0.0/16 -d 10.5.0.0/16 -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully\nCOMMIT\n"
            + "*filter\n:FLANNEL-FWD - [0:0]\n-I FORWARD -m comment --comment \"flanneld forward\" -j FLANNEL-FWD\n"
            + "-A FLANNEL-FWD -s 10.5.0.0/16 -m comment --comment \"flanneld forward\" -j ACCEPT\n"
            + "-A FLANNEL-FWD -d 10.5.0.0/16 -m comment --comment \"flanneld forward\" -j ACCEPT\nCOMMIT\n" },
        { "0.28", "*nat\n:FLANNEL-POSTRTG - [0:0]\n" + string.Concat(Postrouting("10.5.0.0/16", "10.5.9.0/24").Skip(1).Append(MasqueradeJump).Select(l => l + "\n")) + "COMMIT\n"
            + "*filter\n:FLANNEL-FWD - [0:0]\n" + string.Concat(Forward("10.5.0.0/16").Skip(1).Append(ForwardJump).Select(l => l + "\n")) + "COMMIT\n" },
    };
}
