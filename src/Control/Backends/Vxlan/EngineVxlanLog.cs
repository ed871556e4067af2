using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>What the packet engine's vxlan backend tells, events 420 to 429.</summary>
internal static partial class EngineVxlanLog
{
    [LoggerMessage(420, LogLevel.Warning, "the kernel's vxlan device {Device} makes way for the packet engine")]
    internal static partial void KernelDeviceRemoved(this ILogger log, string device);
}
