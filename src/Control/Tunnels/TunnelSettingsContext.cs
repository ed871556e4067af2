using System.Text.Json;
using System.Text.Json.Serialization;

namespace FlannelFast.Control.Tunnels;

/// <summary>How configuration files are read: strictly in content, leniently in comments and trailing commas.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    MaxDepth = 8)]
[JsonSerializable(typeof(TunnelSettings))]
internal sealed partial class TunnelSettingsContext : JsonSerializerContext;
