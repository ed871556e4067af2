using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Cli;

/// <summary>Bad input gets one line that names what is wrong, exit code 2, and changes nothing on the host.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TwoNodes _nodes = TwoNodes.Create();

    /// <summary>Each row: what the line must name, and the flags that replace or join the right ones.</summary>
    public static TheoryData<string, string[]> Rows => new()
    {
        { "--local", ["--local", "192.0.2"] },
        { "--local", ["--local", "224.0.0.1"] },
        { "--network", ["--network", "10.5.0.0/33"] },
        { "--network", ["--network", "10.5.0.0"] },
        { "--subnet", ["--subnet", "10.6.1.0/24"] },
        { "--subnet", ["--subnet", "10.5.1.7/24"] },
        { "--encap", ["--encap", "gre"] },
        { "--port", ["--port", "0"] },
        { "--port", ["--port", "65536"] },
        { "--port", ["--port", "eight"] },
        { "--vni", ["--encap", "vxlan", "--vni", "16777216"] },
        { "--vni", ["--vni", "1"] },
        { "--mac", ["--encap", "vxlan", "--mac", "01:00:5e:00:00:01"] },
        { "--mac", ["--encap", "vxlan", "--mac", "02:00:00"] },
        { "--mtu", ["--mtu", "100"] },
        { "--mtu", ["--mtu", "70000"] },
        { "--queues", ["--queues", "0"] },
        { "--queues", ["--queues", "65"] },
        { "--source-ports", ["--encap", "vxlan", "--source-ports", "33"] },
        { "--source-ports", ["--source-ports", "8"] },
        { "--express-lane", ["--express-lane", "yes"] },
        { "--device", ["--device", "a-name-longer-than-15-bytes"] },
        { "--device", ["--device", "a/b"] },
        { "--source-check", ["--source-check", "maybe"] },
        { "--peer", ["--peer", "10.5.3.0/24"] },
        { "--peer", ["--peer", "10.5.3.0/24=nowhere"] },
        { "--peer", ["--peer", "10.5.1.0/24=192.0.2.3"] },
        { "--peer", ["--peer", "10.9.3.0/24=192.0.2.3"] },
        { "--peer", ["--peer", "10.5.3.0/24=2001:db8::3"] },
        { "--peer", ["--peer", "10.5.3.0/24=192.0.2.3,02:00:00:00:00:03:04"] },
        { "--bogus", ["--bogus"] },
    };

    [Theory, MemberData(nameof(Rows))]
    public void Flags(string names, string[] change)
    {
        string[] flags = _nodes.TunnelFlagsWithoutPeer(1, "udp");
        for (int i = 0; i + 1 < change.Length; i += 2)
        {
            int at = Array.IndexOf(flags, change[i]);
            if (at < 0) flags = [.. flags, change[i], change[i + 1]];
            else flags[at + 1] = change[i + 1];
        }
        if (change.Length == 1) flags = [.. flags, change[0]];
        MustBeRefused(names, ["tunnel", .. flags]);
    }

    [Theory]
    [InlineData("--device")]
    [InlineData("--local")]
    [InlineData("--network")]
    [InlineData("--subnet")]
    [InlineData("--encap")]
    public void A_missing_flag(string flag)
    {
        List<string> flags = [.. _nodes.TunnelFlagsWithoutPeer(1, "udp")];
        flags.RemoveRange(flags.IndexOf(flag), 2);
        MustBeRefused(flag, ["tunnel", .. flags]);
    }

    [Theory]
    [InlineData("config.json", "{")]
    [InlineData("port", """{"device":"ff0","local":"192.0.2.1","networks":["10.5.0.0/16"],"subnets":["10.5.1.0/24"],"encap":"udp","port":99999}""")]
    [InlineData("prot", """{"device":"ff0","local":"192.0.2.1","networks":["10.5.0.0/16"],"subnets":["10.5.1.0/24"],"encap":"udp","prot":1}""")]
    [InlineData("peers[0]", """{"device":"ff0","local":"192.0.2.1","networks":["10.5.0.0/16"],"subnets":["10.5.1.0/24"],"encap":"udp","peers":[{"subnet":"10.5.2.0/24"}]}""")]
    public void A_configuration_file(string names, string json)
    {
        string file = Path.Combine(_nodes.Directory, "config.json");
        File.WriteAllText(file, json);
        MustBeRefused(names, "tunnel", "--config", file, "--socket", _nodes.SocketPath(1));
    }

    [Fact]
    public void A_configuration_file_that_is_not_there() =>
        MustBeRefused("/nowhere/config.json", "tunnel", "--config", "/nowhere/config.json");

    [Fact]
    public void An_unknown_command() => MustBeRefused("tunel", "tunel");

    [Fact]
    public void The_same_flags_without_the_mistake_are_accepted() =>
        Assert.Equal(0, _nodes.One.Try(Daemon.Binary, ["tunnel", .. _nodes.TunnelFlags(1, "udp"), "--check"]).ExitCode);

    /// <inheritdoc />
    public void Dispose() => _nodes.Dispose();

    private void MustBeRefused(string names, params string[] arguments)
    {
        HostState before = HostState.Of(_nodes.One);
        // A daemon that accepts its flags would run on; 2 s is for a machine under load, a refusal takes milliseconds.
        CommandResult result = _nodes.One.Try("timeout", ["2", Daemon.Binary, .. arguments]);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains(names, Assert.Single(result.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("", result.Output);
        HostState.Of(_nodes.One).MustBe(before);
        Assert.False(File.Exists(_nodes.SocketPath(1)));
    }
}
