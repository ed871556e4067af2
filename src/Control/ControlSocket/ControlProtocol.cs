namespace FlannelFast.Control.ControlSocket;

/// <summary>
/// The protocol of the control socket: the client sends one JSON object in one line, the daemon answers with one JSON
/// object in one line and closes. Both carry the schema number; a daemon refuses a number it does not know.
/// </summary>
internal static class ControlProtocol
{
    /// <summary>Version of requests, answers and of the status report.</summary>
    internal const int Schema = 1;

    /// <summary>Largest request in bytes, except those of <see cref="IsBulk"/>.</summary>
    internal const int MaxRequest = 64 << 10;

    /// <summary>Largest request that carries peers, in bytes.</summary>
    internal const int MaxBulkRequest = 16 << 20;

    /// <summary>Largest answer a client takes, in bytes: the status of 100,000 peers is about 20 MiB.</summary>
    internal const int MaxResponse = 256 << 20;

    /// <summary>Connections served at the same time; more are told to come again.</summary>
    internal const int MaxConnections = 256;

    /// <summary>How long a client may take to send its request.</summary>
    internal static readonly TimeSpan ReadDeadline = TimeSpan.FromSeconds(5);

    /// <summary>How long a client may take to fetch its answer.</summary>
    internal static readonly TimeSpan WriteDeadline = TimeSpan.FromSeconds(10);

    /// <summary>How long an answered client may take to close.</summary>
    internal static readonly TimeSpan LingerDeadline = TimeSpan.FromMilliseconds(500);

    /// <summary>Bytes taken from an answered client and thrown away.</summary>
    internal const int MaxLinger = 256 << 10;

    internal const string Status = "status";
    internal const string PeerList = "peer_list";
    internal const string PeerAdd = "peer_add";
    internal const string PeerDelete = "peer_del";

    /// <summary>True for commands that carry lists of peers and so may be large.</summary>
    internal static bool IsBulk(string? command) => command is PeerAdd or PeerDelete;
}

/// <summary>Why a request failed; the text is part of the protocol.</summary>
internal static class ControlErrorCode
{
    /// <summary>The line is no request: garbage, too long, too slow, an unknown command or schema.</summary>
    internal const string BadRequest = "bad_request";

    /// <summary>The request is well formed, but what it asks for is not acceptable: the user's mistake.</summary>
    internal const string InvalidInput = "invalid_input";

    /// <summary>Acceptable, but not in the present state: a peer that exists with other values, or does not exist.</summary>
    internal const string Conflict = "conflict";

    /// <summary>The client is neither root nor the daemon's user.</summary>
    internal const string Denied = "denied";

    /// <summary>Too many connections at once.</summary>
    internal const string Busy = "busy";

    /// <summary>The daemon failed.</summary>
    internal const string Failed = "failed";
}
