namespace FlannelFast.Control.Tunnels;

/// <summary>Peers that came in a request to a running daemon: messages repeat the argument of <c>flannelfast peer</c>.</summary>
internal sealed class RequestOrigin : SettingOrigin
{
    internal override string Name(string key) => SettingKeys.ToFlag(key);

    internal override string Describe(string key, SettingValue value) => key;

    internal override string DescribePeer(int index, PeerSettings peer, string part, SettingValue value) =>
        $"peer {peer.ToArgument()}";
}
