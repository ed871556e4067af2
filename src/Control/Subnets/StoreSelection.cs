using FlannelFast.Control.Subnets.Directories;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Subnets.Etcd.V2;
using FlannelFast.Control.Subnets.Etcd.V3;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets;

/// <summary>From options to a store. The only place that knows all of them.</summary>
internal static class StoreSelection
{
    /// <summary>The store as the daemon sees it. Nothing is connected before the first call.</summary>
    /// <param name="options">Which.</param>
    /// <param name="time">All times and clocks.</param>
    /// <param name="loggers">For messages of the store.</param>
    /// <param name="random">Spreads hosts over endpoints and times; not used afterwards.</param>
    /// <exception cref="Tunnels.InvalidInputException">A TLS file cannot be used.</exception>
    internal static RegistrySubnetStore OpenStore(StoreOptions options, TimeProvider time, ILoggerFactory loggers, Random random) =>
        new(OpenRegistry(options, time, loggers, random), time, new(random.Next()), loggers);

    /// <inheritdoc cref="OpenStore"/>
    /// <summary>Keys and values, for whoever looks at a store or prepares it.</summary>
    internal static ISubnetRegistry OpenRegistry(StoreOptions options, TimeProvider time, ILoggerFactory loggers, Random random)
    {
        if (options.Directory.Length > 0) return new DirectoryRegistry(options.Directory, time, new(random.Next()));
        ILogger log = loggers.CreateLogger("etcd");
        foreach (string warning in options.Etcd.Warnings) EtcdLog.OptionIgnored(log, warning);
        return options.EtcdApi switch
        {
            EtcdApi.V3 => EtcdV3Registry.Open(options.Etcd, time, loggers, random),
            EtcdApi.V2 => EtcdV2Registry.Open(options.Etcd, time, loggers, random),
            _ => OpenEither(options.Etcd, time, loggers, random, log),
        };
    }

    private static EtcdAutoRegistry OpenEither(EtcdOptions options, TimeProvider time, ILoggerFactory loggers, Random random, ILogger log)
    {
        EtcdTls tls = new(options, log);
        return new(
            EtcdV3Registry.Open(options, time, loggers, random), EtcdV2Registry.Open(options, time, loggers, random),
            cancel => EtcdVersion.ReadMajorAsync(options, tls, cancel), log);
    }
}
