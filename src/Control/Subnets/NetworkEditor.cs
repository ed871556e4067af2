using System.Text;

namespace FlannelFast.Control.Subnets;

/// <summary>Writes the network config of a store.</summary>
internal static class NetworkEditor
{
    /// <summary>Checks a config and writes it.</summary>
    /// <param name="registry">Not owned.</param>
    /// <param name="config">JSON; written byte for byte.</param>
    /// <param name="force">Replace another config that is there.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>False if it is there already.</returns>
    /// <exception cref="NetworkConfigException">It cannot be used; nothing was written.</exception>
    /// <exception cref="StoreConflictException">There is another one, and <paramref name="force"/> is false.</exception>
    /// <exception cref="StoreUnavailableException">The store could not be asked, or did not take it.</exception>
    internal static async Task<bool> WriteAsync(ISubnetRegistry registry, byte[] config, bool force, CancellationToken cancel)
    {
        NetworkConfigParser.Parse(config);
        byte[]? present = await registry.ReadConfigAsync(cancel).ConfigureAwait(false);
        if (present is not null && present.AsSpan().SequenceEqual(config)) return false;
        if (present is not null && !force)
        {
            string text = Tunnels.InvalidInputException.Quote(Encoding.UTF8.GetString(present), limit: 300)[1..^1];
            throw new StoreConflictException($"{registry.Description} has another network config; --force replaces it: {text}");
        }
        await registry.WriteConfigAsync(config, cancel).ConfigureAwait(false);
        return true;
    }
}
