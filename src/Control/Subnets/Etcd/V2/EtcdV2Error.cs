namespace FlannelFast.Control.Subnets.Etcd.V2;

/// <summary>Error codes of the keys API (etcd, Documentation/v2/errorcode.md).</summary>
internal static class EtcdV2Error
{
    internal const int KeyNotFound = 100;
    internal const int TestFailed = 101;
    internal const int NotFile = 102;
    internal const int NodeExists = 105;

    /// <summary>Raft internal error and "during leader election": another member, or the same one later, may do it.</summary>
    internal const int RaftInternal = 300, LeaderElection = 301;

    internal const int EventIndexCleared = 401;
}
