using System.Text.Json;

namespace FlannelFast.Control.Backends;

/// <summary>What a backend publishes in this host's lease; see <see cref="Subnets.LeaseAttributes"/> for the fields.</summary>
internal sealed record BackendAnnouncement(string BackendType, JsonElement BackendData = default, JsonElement BackendV6Data = default);
