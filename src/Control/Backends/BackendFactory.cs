namespace FlannelFast.Control.Backends;

/// <summary>Prepares one type of backend: reads its config, checks that this host can run it, makes what the lease must publish.</summary>
/// <exception cref="Subnets.NetworkConfigException">The backend's part of the config cannot be used.</exception>
/// <exception cref="IOException">The host refused.</exception>
/// <exception cref="InvalidOperationException">The host contradicts the configuration.</exception>
internal delegate IBackend BackendFactory(BackendContext context);
