using System.Buffers.Binary;
using System.Net.Sockets;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.ControlSocket;

/// <summary>Who is at the other end of a unix socket, as the kernel noted at connect(2): it cannot be forged.</summary>
/// <param name="ProcessId">Process number in our namespace.</param>
/// <param name="UserId">Effective user.</param>
internal readonly record struct PeerCredentials(int ProcessId, uint UserId)
{
    /// <summary>Root, or the user this process runs as.</summary>
    internal bool MayControl => IsAllowed(UserId, Libc.geteuid());

    /// <summary>Asks the kernel (unix(7), SO_PEERCRED).</summary>
    internal static PeerCredentials Of(Socket socket)
    {
        Span<byte> ucred = stackalloc byte[12];
        socket.GetRawSocketOption(Libc.SOL_SOCKET, Libc.SO_PEERCRED, ucred);
        return new(
            BinaryPrimitives.ReadInt32LittleEndian(ucred),
            BinaryPrimitives.ReadUInt32LittleEndian(ucred[4..]));
    }

    /// <summary>The rule by itself.</summary>
    internal static bool IsAllowed(uint client, uint daemon) => client == 0 || client == daemon;
}
