using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.ControlSocket;

/// <summary>One answer: an error, or what the command asked for.</summary>
internal sealed class ControlResponse
{
    /// <summary>Reads as 0 where it is missing, which no client accepts.</summary>
    public int Schema { get; init; } = ControlProtocol.Schema;

    public ControlError? Error { get; init; }

    /// <summary>status of <c>flannelfast tunnel</c>.</summary>
    public StatusReport? Status { get; init; }

    /// <summary>status of flanneld.</summary>
    public FlanneldReport? Flanneld { get; init; }

    /// <summary>peer_list: how many there are, whatever the limit.</summary>
    public int? PeerCount { get; init; }

    /// <summary>peer_list.</summary>
    public IReadOnlyList<PeerReport>? Peers { get; init; }

    /// <summary>peer_add, peer_del.</summary>
    public PeerChange? Change { get; init; }

    internal static ControlResponse Failure(string code, string message) => new() { Error = new(code, message) };
}

/// <summary>A failed request.</summary>
/// <param name="Code">One of <see cref="ControlErrorCode"/>.</param>
/// <param name="Message">One line for people.</param>
internal sealed record ControlError(string Code, string Message);
