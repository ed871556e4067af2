using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3.Messages;

namespace FlannelFast.Control.Subnets.Etcd.V3;

/// <summary>The methods of etcd's services that a subnet registry needs (etcdserverpb, rpc.proto).</summary>
internal static class EtcdMethods
{
    internal static GrpcMethod<RangeRequest, RangeResponse> Range { get; } = new("/etcdserverpb.KV/Range");

    internal static GrpcMethod<PutRequest, HeaderResponse> Put { get; } = new("/etcdserverpb.KV/Put");

    internal static GrpcMethod<TxnRequest, TxnResponse> Txn { get; } = new("/etcdserverpb.KV/Txn");

    internal static GrpcMethod<LeaseGrantRequest, LeaseResponse> LeaseGrant { get; } = new("/etcdserverpb.Lease/LeaseGrant");

    internal static GrpcMethod<LeaseRevokeRequest, HeaderResponse> LeaseRevoke { get; } = new("/etcdserverpb.Lease/LeaseRevoke");

    internal static GrpcMethod<LeaseTimeToLiveRequest, LeaseResponse> LeaseTimeToLive { get; } = new("/etcdserverpb.Lease/LeaseTimeToLive");

    internal static GrpcMethod<AuthenticateRequest, AuthenticateResponse> Authenticate { get; } = new("/etcdserverpb.Auth/Authenticate");

    internal static GrpcMethod<WatchRequest, WatchResponse> Watch { get; } = new("/etcdserverpb.Watch/Watch");
}
