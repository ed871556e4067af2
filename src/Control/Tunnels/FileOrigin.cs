namespace FlannelFast.Control.Tunnels;

/// <summary>Settings read from a JSON file: names the file, the line and the field.</summary>
internal sealed class FileOrigin(string path, ReadOnlyMemory<byte> json) : SettingOrigin
{
    internal override string Name(string key) => key;

    internal override string Describe(string key, SettingValue value) => Place(value) + key;

    internal override string DescribePeer(int index, PeerSettings peer, string part, SettingValue value)
    {
        // A missing field has no place of its own; any other field of the same peer leads to the right object.
        SettingValue place = value.IsSet ? value : peer.Subnet.IsSet ? peer.Subnet : peer.PublicIP;
        return $"{Place(place)}{SettingKeys.Peers}[{index}].{part}";
    }

    private string Place(SettingValue value) => value.IsSet
        ? $"{path}:{json.Span[..value.Offset].Count((byte)'\n') + 1}: "
        : $"{path}: ";
}
