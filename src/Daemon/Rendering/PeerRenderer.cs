using FlannelFast.Control.ControlSocket;

namespace FlannelFast.Daemon.Rendering;

/// <summary>Peers as a table.</summary>
internal static class PeerRenderer
{
    internal static TextTable Table(IReadOnlyList<PeerReport> peers, TerminalStyle style)
    {
        bool macs = peers.Any(p => p.VtepMac is not null);
        var table = new TextTable(
            Column.Left, Column.Left, Column.Left, Column.Right, Column.Right, Column.Right, Column.Right, Column.Right);
        table.AddStyled(style.Faint, "subnet", "public ip", macs ? "vtep mac" : "", "out packets", "out bytes", "in packets", "in bytes", "send errors");
        foreach (PeerReport peer in peers)
        {
            string[] cells =
            [
                peer.Subnet, peer.PublicIp, peer.VtepMac ?? "", Quantity.Count(peer.EgressPackets), Quantity.Bytes(peer.EgressBytes),
                Quantity.Count(peer.IngressPackets), Quantity.Bytes(peer.IngressBytes), Quantity.Count(peer.SendErrors),
            ];
            if (peer.SendErrors > 0) table.AddStyled(style.Warning, cells);
            else table.Add(cells);
        }
        return table;
    }
}
