using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>A condition of a transaction: a key's version or revision is this one (etcdserverpb.Compare, result EQUAL).</summary>
internal sealed record Compare : IProtobufMessage
{
    private const int Version = 0;
    private const int ModRevision = 2;

    private readonly byte[] _key;
    private readonly int _target;
    private readonly long _expected;

    private Compare(byte[] key, int target, long expected)
    {
        _key = key;
        _target = target;
        _expected = expected;
    }

    /// <summary>The key is not there: version 0.</summary>
    internal static Compare IsAbsent(byte[] key) => new(key, Version, 0);

    /// <summary>The key was last written at this revision.</summary>
    internal static Compare HasModRevision(byte[] key, long revision) => new(key, ModRevision, revision);

    public void WriteTo(ProtobufWriter writer)
    {
        writer.Write(2, _target);
        writer.Write(3, _key);
        // The members of target_union follow the targets: version is 4, mod_revision is 6.
        writer.WriteMember(4 + _target, _expected);
    }
}
