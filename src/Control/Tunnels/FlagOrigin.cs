namespace FlannelFast.Control.Tunnels;

/// <summary>Settings given as flags of <c>flannelfast tunnel</c>.</summary>
internal sealed class FlagOrigin : SettingOrigin
{
    internal override string Name(string key) => SettingKeys.ToFlag(key);

    internal override string Describe(string key, SettingValue value) => Name(key);

    internal override string DescribePeer(int index, PeerSettings peer, string part, SettingValue value) =>
        $"{SettingKeys.ToFlag(SettingKeys.Peers)} {peer.ToArgument()}";
}
