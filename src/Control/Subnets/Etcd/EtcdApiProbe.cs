using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>Decides what <see cref="EtcdApi.Auto"/> means in this cluster.</summary>
internal static class EtcdApiProbe
{
    /// <summary>Asks for the config by both interfaces, v3 first.</summary>
    /// <param name="v3">Owned by the caller, as <paramref name="v2"/>.</param>
    /// <param name="v2">Asked only where v3 has no config.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>V2 where only that holds a config; else V3, also while there is none at all: ask again as long as that is so.</returns>
    /// <exception cref="StoreUnavailableException">
    /// v3 could not be asked. That alone is no reason for v2: a cluster that moved to v3 may still hold leases of long ago there.
    /// </exception>
    internal static async Task<EtcdApi> ChooseAsync(ISubnetRegistry v3, ISubnetRegistry v2, CancellationToken cancel)
    {
        StoreUnavailableException? withoutV3 = null;
        try
        {
            if (await v3.ReadConfigAsync(cancel).ConfigureAwait(false) is not null) return EtcdApi.V3;
        }
        catch (StoreUnavailableException e) when (e.InnerException is GrpcException { IsForeign: true })
        {
            // An etcd before version 3 answers, but not gRPC.
            withoutV3 = e;
        }
        try
        {
            if (await v2.ReadConfigAsync(cancel).ConfigureAwait(false) is not null) return EtcdApi.V2;
        }
        catch (StoreUnavailableException) when (withoutV3 is null)
        {
            // The v2 API is off in etcd since 3.4: v3, which does answer, is what there is.
        }
        return withoutV3 is null ? EtcdApi.V3 : throw withoutV3;
    }
}
