using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.ControlSocket;

/// <summary>One request. The order of members is that on the wire: the command must be seen before a long list of peers.</summary>
internal sealed class ControlRequest
{
    public int Schema { get; set; } = ControlProtocol.Schema;

    public required string Command { get; set; }

    /// <summary>status, peer_list: how many peers to describe at most; all of them if absent. Peers are always counted.</summary>
    public int? PeerLimit { get; set; }

    /// <summary>peer_add: put the new values in the place of those of a peer that exists.</summary>
    public bool Replace { get; set; }

    /// <summary>peer_add: the peers.</summary>
    public List<PeerSettings> Peers { get; set; } = [];

    /// <summary>peer_del: the subnets of the peers.</summary>
    public List<SettingValue> Subnets { get; set; } = [];
}
