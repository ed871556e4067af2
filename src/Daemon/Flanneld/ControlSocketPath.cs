using System.Security.Cryptography;
using System.Text;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Flanneld.Flags;

namespace FlannelFast.Daemon.Flanneld;

/// <summary>
/// Where a flanneld listens that was not told: daemons of one host are told apart by their -subnet-file, as with stock, so each gets a socket of its own
/// and two with one file do not.
/// </summary>
internal static class ControlSocketPath
{
    internal static string For(string subnetFile)
    {
        string full = Path.GetFullPath(subnetFile);
        if (full == ProcessFlags.DefaultSubnetFile) return TunnelDefaults.SocketPath;
        string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(full)).AsSpan(0, 4));
        return Path.Combine(Path.GetDirectoryName(TunnelDefaults.SocketPath)!, $"flanneld-{digest}.sock");
    }
}
