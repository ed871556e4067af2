using System.Text.Json.Serialization;

namespace FlannelFast.Control.Subnets.Reports;

/// <summary>How reports on a store are written.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Serialization,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true)]
[JsonSerializable(typeof(LeaseListReport))]
[JsonSerializable(typeof(NetworkReport))]
internal sealed partial class SubnetReportContext : JsonSerializerContext;
