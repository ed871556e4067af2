using System.Text.Json.Serialization;

namespace FlannelFast.Lab.Traffic;

/// <summary>How results are written and read.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(TcpResult))]
[JsonSerializable(typeof(UdpSinkResult))]
[JsonSerializable(typeof(UdpSourceResult))]
[JsonSerializable(typeof(RttEchoResult))]
[JsonSerializable(typeof(RttProbeResult))]
[JsonSerializable(typeof(ConnectSinkResult))]
[JsonSerializable(typeof(ConnectSourceResult))]
[JsonSerializable(typeof(HashSinkResult))]
[JsonSerializable(typeof(HashSourceResult))]
[JsonSerializable(typeof(RelayResult))]
[JsonSerializable(typeof(BareResult))]
internal sealed partial class AgentJsonContext : JsonSerializerContext;
