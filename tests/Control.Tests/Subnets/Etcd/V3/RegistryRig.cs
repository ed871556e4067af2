using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Subnets.Etcd.V3;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V3;

/// <summary>Registries as the daemon opens them.</summary>
internal static class RegistryRig
{
    internal static EtcdV3Registry Open(string endpoints, string prefix = EtcdOptions.DefaultPrefix, ILoggerFactory? log = null) =>
        Open(EtcdOptions.Create(endpoints, prefix), log);

    internal static EtcdV3Registry Open(EtcdOptions options, ILoggerFactory? log = null) =>
        EtcdV3Registry.Open(options, TimeProvider.System, log ?? NullLoggerFactory.Instance, new Random(1));
}
