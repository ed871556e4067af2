using System.Net;
using System.Text.Json;
using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Tests.Contenders;

public sealed class ContenderSpecTests
{
    [Fact]
    public void Switches_become_fields_of_the_configuration()
    {
        ContenderSpec spec = ContenderSpec.Parse("x", "vxlan:coalesce=off,express-lane=off,pause=0,source-check=peer,binary=/tmp/a=b,peers=3");
        Assert.Equal((ContenderKind.Vxlan, "/tmp/a=b", 3), (spec.Kind, spec.Binary, spec.Peers));
        Node[] nodes = [new(1, null!, null), new(2, null!, null)];
        using JsonDocument file = JsonDocument.Parse(TunnelFile.Create(spec, new(1, isWide: true), nodes[0], nodes));
        JsonElement root = file.RootElement;
        Assert.Equal(JsonValueKind.False, root.GetProperty("coalesce").ValueKind);
        Assert.Equal("off", root.GetProperty("express_lane").GetString());
        Assert.Equal(0, root.GetProperty("pause").GetInt32());
        Assert.Equal("peer", root.GetProperty("source_check").GetString());
        Assert.Equal("10.16.0.0/12", root.GetProperty("networks")[0].GetString());
        Assert.Equal(
            [("10.16.0.16/29", "192.0.2.2", "02:fa:00:00:01:02"), ("10.16.8.0/29", "198.18.0.0", "02:fe:00:00:00:00"), ("10.16.8.8/29", "198.18.0.1", "02:fe:00:00:00:01")],
            root.GetProperty("peers").EnumerateArray().Select(p => (p.GetProperty("subnet").GetString()!, p.GetProperty("public_ip").GetString()!, p.GetProperty("vtep_mac").GetString()!)));
    }

    [Theory]
    [InlineData("wireguard", "x: expected " + ContenderSpec.Syntax + ", not \"wireguard\"")]
    [InlineData("raw:mtu=9000", "x: expected " + ContenderSpec.Syntax + ", not \"raw:mtu=9000\"")]
    [InlineData("udp:coalesce", "x: \"udp:coalesce\": expected SWITCH=VALUE, for example coalesce=off, not \"coalesce\"")]
    [InlineData("udp:port=9", "x: \"udp:port=9\": port is chosen by the lab; switches are the other flags of \"flannelfast tunnel\", binary and peers")]
    [InlineData("udp:pause=1,pause=2", "x: \"udp:pause=1,pause=2\": pause is given twice")]
    [InlineData("udp:peers=1,peers=1", "x: \"udp:peers=1,peers=1\": peers is given twice")]
    [InlineData("udp:peers=0", "x: \"udp:peers=0\": peers: expected a whole number from 1 to 100000, not \"0\"")]
    [InlineData("exec:a", "x: expected exec:NAME=COMMAND with a name of letters, digits, '-', '_' and '.', not \"exec:a\"")]
    [InlineData("exec:a b=c", "x: expected exec:NAME=COMMAND with a name of letters, digits, '-', '_' and '.', not \"exec:a b=c\"")]
    public void What_is_wrong_is_said(string text, string message) =>
        Assert.Equal(message, Assert.Throws<LabException>(() => ContenderSpec.Parse("x", text)).Message);

    [Fact]
    public void Bare_is_a_program_of_the_labs_own()
    {
        ContenderSpec spec = ContenderSpec.Parse("x", "bare");
        Assert.Equal(("bare", ContenderKind.Bare), (spec.Name, spec.Kind));
        Dictionary<string, string> values = CommandTemplate.Placeholders.ToDictionary(p => p.Name, p => $"<{p.Name}>");
        Assert.EndsWith("/exe lab-agent bare --local <local> --peer <peer> --device <device>", spec.Template!.Expand(values), StringComparison.Ordinal);
    }

    [Fact]
    public void Placeholders_are_filled_in()
    {
        CommandTemplate template = ContenderSpec.Parse("x", "exec:mine=run --dev {device} {peer}:{node} '{{}}' {peer_subnet}").Template!;
        Dictionary<string, string> values = CommandTemplate.Placeholders.ToDictionary(p => p.Name, p => $"<{p.Name}>");
        Assert.Equal("run --dev <device> <peer>:<node> '{}' <peer_subnet>", template.Expand(values));
        Assert.Equal("{peer}", CommandTemplate.Parse("x", "{{peer}}").Expand(values));
    }

    [Theory]
    [InlineData("a {pear}", "x: expected one of {local}, {peer}, {subnet}, {peer_subnet}, {network}, {device}, {node}, not \"{pear}\"; a brace itself is written twice")]
    [InlineData("a {peer", "x: expected one of {local}, {peer}, {subnet}, {peer_subnet}, {network}, {device}, {node}, not \"{peer\"; a brace itself is written twice")]
    [InlineData("a }", "x: '}' at character 3 closes nothing; a brace itself is written twice")]
    public void A_wrong_template_is_refused(string template, string message) =>
        Assert.Equal(message, Assert.Throws<LabException>(() => CommandTemplate.Parse("x", template)).Message);

    /// <summary>All contenders are up at once: no two may share an address, and 100,000 peers must fit.</summary>
    [Fact]
    public void Address_plans_do_not_overlap()
    {
        var networks = new List<IPNetwork>();
        for (int i = 0; i < AddressPlan.MaxContenders; i++)
        {
            var plan = new AddressPlan(i, isWide: true);
            var network = IPNetwork.Parse(plan.Network);
            Assert.DoesNotContain(networks, n => n.Contains(network.BaseAddress) || network.Contains(n.BaseAddress));
            networks.Add(network);
            Assert.True(network.Contains(plan.PodAddress(TopologySpec.MaxNodes)));
            Assert.True(network.Contains(IPNetwork.Parse(plan.SilentSubnet(AddressPlan.MaxPeers - 1)).BaseAddress));
        }
        var one = new AddressPlan(0, isWide: true);
        IEnumerable<string> nodes = Enumerable.Range(1, TopologySpec.MaxNodes).Select(one.Subnet), silent = Enumerable.Range(0, AddressPlan.MaxPeers).Select(one.SilentSubnet);
        Assert.Equal(TopologySpec.MaxNodes + AddressPlan.MaxPeers, nodes.Concat(silent).Distinct().Count());
        Assert.Equal(AddressPlan.MaxPeers, Enumerable.Range(0, AddressPlan.MaxPeers).Select(AddressPlan.SilentAddress).Distinct().Count());
        Assert.Equal(AddressPlan.MaxPeers, Enumerable.Range(0, AddressPlan.MaxPeers).Select(AddressPlan.SilentMac).Distinct().Count());
    }
}
