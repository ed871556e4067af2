using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Tunnels;

public sealed class PeerEditorTests : IDisposable
{
    private static readonly Peer s_two = FakeTunnelRuntime.Peer(2), s_three = FakeTunnelRuntime.Peer(3);

    private readonly TunnelConfig _config = FakeTunnelRuntime.Config(peers: [s_two, s_three]);
    private readonly FakeTunnelRuntime _runtime;
    private readonly PeerEditor _editor;

    public PeerEditorTests()
    {
        _runtime = new(_config);
        _editor = new(_config, _runtime);
    }

    public void Dispose() => _runtime.Dispose();

    [Fact]
    public void Added_peers_join_the_others()
    {
        Assert.Equal(new PeerChange(1, 0, 0, 2), _editor.Add([Parse("10.5.4.0/24=192.0.2.4")], replace: false));
        Assert.Equal([s_two, s_three, FakeTunnelRuntime.Peer(4)], _runtime.Peers);
    }

    [Fact]
    public void Adding_what_is_there_changes_nothing()
    {
        Assert.Equal(new PeerChange(0, 0, 0, 2), _editor.Add([Parse("10.5.2.0/24=192.0.2.2")], replace: false));
        Assert.Equal(0, _runtime.Replacements);
    }

    [Fact]
    public void A_peer_moves_only_when_asked_to()
    {
        var e = Assert.Throws<PeerConflictException>(() => _editor.Add([Parse("10.5.4.0/24=192.0.2.4"), Parse("10.5.2.0/24=192.0.2.9")], replace: false));
        Assert.Equal("peer 10.5.2.0/24 is there already at 192.0.2.2; add --replace to give it 192.0.2.9", e.Message);
        Assert.Equal([s_two, s_three], _runtime.Peers);

        Assert.Equal(new PeerChange(0, 1, 0, 1), _editor.Add([Parse("10.5.2.0/24=192.0.2.9")], replace: true));
        Assert.Equal("192.0.2.9", _runtime.Peers[0].PublicIP.ToString());
    }

    [Fact]
    public void Peers_are_deleted_all_or_none()
    {
        var e = Assert.Throws<PeerConflictException>(() => _editor.Delete([SettingValue.FromFlag("10.5.2.0/24"), SettingValue.FromFlag("10.5.9.0/24")]));
        Assert.Equal("there is no peer with the subnet 10.5.9.0/24", e.Message);
        Assert.Equal(2, _runtime.Peers.Count);
        Assert.Equal(new PeerChange(0, 0, 1, 1), _editor.Delete([SettingValue.FromFlag("10.5.2.0/24")]));
        Assert.Equal([s_three], _runtime.Peers);
    }

    [Theory]
    [InlineData("10.5.2.1/24", "peer \"10.5.2.1/24\": has bits set behind the prefix; expected 10.5.2.0/24")]
    [InlineData("ten", "peer \"ten\": expected a subnet in the form address/length, for example 10.5.2.0/24")]
    public void Only_subnets_are_deleted(string text, string expected) =>
        Assert.Equal(expected, Assert.Throws<InvalidInputException>(() => _editor.Delete([SettingValue.FromFlag(text)])).Message);

    [Fact]
    public void Replacing_counts_what_happened_to_each_subnet()
    {
        PeerChange change = _editor.Replace([s_three with { PublicIP = s_two.PublicIP }, FakeTunnelRuntime.Peer(5), FakeTunnelRuntime.Peer(6)]);
        Assert.Equal(new PeerChange(2, 1, 1, 0), change);
        Assert.Equal(new PeerChange(0, 0, 0, 3), _editor.Replace([.. _runtime.Peers]));
        Assert.Equal(1, _runtime.Replacements);
    }

    [Fact]
    public void Concurrent_changes_lose_nothing()
    {
        Parallel.For(4, 250, i => _editor.Add([Parse($"10.5.{i}.0/24=192.0.2.{i}")], replace: false));
        Assert.Equal(248, _runtime.Peers.Count);
        Parallel.For(4, 250, i => _editor.Delete([SettingValue.FromFlag($"10.5.{i}.0/24")]));
        Assert.Equal([s_two, s_three], _runtime.Peers.OrderBy(p => p.Subnet.ToString()));
    }

    private static PeerSettings Parse(string text) => PeerSettings.FromArgument("test", text);
}
