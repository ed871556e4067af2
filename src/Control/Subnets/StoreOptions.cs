using FlannelFast.Control.Subnets.Etcd;

namespace FlannelFast.Control.Subnets;

/// <summary>Which store to use: what the flags <c>-etcd-…</c> and <c>-store-dir</c> say.</summary>
/// <param name="Etcd">Not used with a directory.</param>
/// <param name="EtcdApi">Likewise.</param>
/// <param name="Directory">The embedded store, in place of etcd; empty without one.</param>
internal sealed record StoreOptions(EtcdOptions Etcd, EtcdApi EtcdApi, string Directory);
