using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends.Extension;

/// <summary>The extension part of the network config (flannel, pkg/backend/extension/extension.go). Commands that are absent or empty are not run.</summary>
internal sealed record ExtensionConfig
{
    /// <summary>Run before there is a lease; what it prints is published as BackendData.</summary>
    internal required CommandTemplate PreStartup { get; init; }

    /// <summary>Run when there is one.</summary>
    internal required CommandTemplate PostStartup { get; init; }

    /// <summary>Run for each other host that comes or changes.</summary>
    internal required CommandTemplate SubnetAdd { get; init; }

    /// <summary>Run for each other host that goes.</summary>
    internal required CommandTemplate SubnetRemove { get; init; }

    /// <summary>Reads the config's Backend object.</summary>
    /// <exception cref="NetworkConfigException">A field is no string.</exception>
    internal static ExtensionConfig Read(NetworkConfig network)
    {
        BackendFields fields = new(network.Backend);
        return new()
        {
            PreStartup = Command("PreStartupCommand"),
            PostStartup = Command("PostStartupCommand"),
            SubnetAdd = Command("SubnetAddCommand"),
            SubnetRemove = Command("SubnetRemoveCommand"),
        };

        CommandTemplate Command(string name) => new(name, fields.Text(name));
    }
}
