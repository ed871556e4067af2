using FlannelFast.Control.Subnets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends;

/// <summary>What a backend is prepared with.</summary>
/// <param name="Network">The cluster's config; the backend reads its own part from <see cref="NetworkConfig.Backend"/>.</param>
/// <param name="External">The underlay.</param>
/// <param name="Options">This host's choices.</param>
/// <param name="Log">Where the backend reports.</param>
internal sealed record BackendContext(NetworkConfig Network, ExternalInterface External, BackendOptions Options, ILoggerFactory Log);
