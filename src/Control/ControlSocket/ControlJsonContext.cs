using System.Text.Json;
using System.Text.Json.Serialization;

namespace FlannelFast.Control.ControlSocket;

/// <summary>How requests, answers and reports are written and read.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    MaxDepth = 12)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlResponse))]
internal sealed partial class ControlJsonContext : JsonSerializerContext
{
    private static ControlJsonContext? s_lenient;
    private static ControlJsonContext? s_indented;

    /// <summary>For answers: a newer daemon of the same schema may say more than this client knows.</summary>
    internal static ControlJsonContext Lenient =>
        s_lenient ??= new(new JsonSerializerOptions(Default.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip });

    /// <summary>The same with line breaks, for output that people read.</summary>
    internal static ControlJsonContext Indented =>
        s_indented ??= new(new JsonSerializerOptions(Default.Options) { WriteIndented = true });
}
