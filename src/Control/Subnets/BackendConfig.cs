using System.Text.Json;

namespace FlannelFast.Control.Subnets;

/// <summary>The <c>Backend</c> object of the network config, as far as every backend shares it.</summary>
/// <param name="Type">In lower case. <c>udp</c> where the config has no Backend; empty where it has one without Type, which no backend answers to.</param>
/// <param name="Fields">The whole object for the backend to read (field names without regard to case, unknown ones ignored); undefined where there is none. Owned by the config for its life.</param>
internal sealed record BackendConfig(string Type, JsonElement Fields);
