namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>Decides what <see cref="EtcdApi.Auto"/> means in this cluster.</summary>
internal static class EtcdApiProbe
{
    /// <summary>Asks for the config by both interfaces, v3 first.</summary>
    /// <param name="v3">Owned by the caller, as <paramref name="v2"/>.</param>
    /// <param name="v2">Asked only where v3 has no config.</param>
    /// <param name="readMajor">The server's major version or null, as <see cref="EtcdVersion.ReadMajorAsync"/>; asked only where v3 does not answer.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>V2 where only that holds a config, or is all the server has; else V3, also while there is no config at all: ask again as long as that is so.</returns>
    /// <exception cref="StoreUnavailableException">
    /// v3 could not be asked. That alone is no reason for v2: a cluster that moved to v3 may still hold leases of long ago there.
    /// </exception>
    internal static async Task<EtcdApi> ChooseAsync(ISubnetRegistry v3, ISubnetRegistry v2, Func<CancellationToken, Task<int?>> readMajor, CancellationToken cancel)
    {
        try
        {
            if (await v3.ReadConfigAsync(cancel).ConfigureAwait(false) is not null) return EtcdApi.V3;
        }
        catch (StoreUnavailableException)
        {
            if (await readMajor(cancel).ConfigureAwait(false) is < 3) return EtcdApi.V2;
            throw;
        }
        try
        {
            return await v2.ReadConfigAsync(cancel).ConfigureAwait(false) is null ? EtcdApi.V3 : EtcdApi.V2;
        }
        catch (StoreUnavailableException)
        {
            // The v2 API is off by default since etcd 3.4: v3, which does answer, is what there is.
            return EtcdApi.V3;
        }
    }
}
