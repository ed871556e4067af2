using System.Text.Json.Serialization;

namespace FlannelFast.Control.Subnets.Etcd.V2;

/// <summary>The body of an answer of the keys API: an event, or an error. What is not named here is skipped.</summary>
internal sealed class EtcdV2Response
{
    /// <summary>"get", "set", "create", "update", "compareAndSwap", "delete", "compareAndDelete" or "expire".</summary>
    public string? Action { get; init; }

    /// <summary>The key as it is afterwards; of a deletion without value. Null in an error.</summary>
    public EtcdV2Node? Node { get; init; }

    /// <summary>One of <see cref="EtcdV2Error"/> or another; 0 if it is no error.</summary>
    public int ErrorCode { get; init; }

    /// <summary>Of an error.</summary>
    public string? Message { get; init; }

    /// <summary>Of an error.</summary>
    public string? Cause { get; init; }
}

/// <summary>A key or directory.</summary>
internal sealed class EtcdV2Node
{
    /// <summary>Absolute: "/coreos.com/network/subnets/10.5.52.0-24".</summary>
    public string? Key { get; init; }

    public string? Value { get; init; }

    public bool Dir { get; init; }

    /// <summary>Of a directory, one level.</summary>
    public IReadOnlyList<EtcdV2Node>? Nodes { get; init; }

    public long CreatedIndex { get; init; }

    public long ModifiedIndex { get; init; }

    /// <summary>Seconds; null without end. Zero or less for a moment before it is deleted.</summary>
    public long? Ttl { get; init; }
}

/// <summary>How answers are read. A source that nests deeper than a directory of keys is not etcd.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 8)]
[JsonSerializable(typeof(EtcdV2Response))]
internal sealed partial class EtcdV2JsonContext : JsonSerializerContext;
