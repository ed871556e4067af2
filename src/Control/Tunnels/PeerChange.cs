namespace FlannelFast.Control.Tunnels;

/// <summary>What a change did to the peers, by subnets. Changed means: kept its subnet, but moved or got another VtepMAC.</summary>
internal sealed record PeerChange(int Added, int Changed, int Removed, int Unchanged);
