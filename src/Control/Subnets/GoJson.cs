using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Reads and writes JSON where stock hosts do it with Go's encoding/json: field names without regard to case, the last of equal
/// fields counts, null leaves a plain field as it was, unknown fields are nothing.
/// </summary>
internal static class GoJson
{
    /// <summary>Nothing that flannel writes nests deeper than 3; Go itself stops at 10,000, which would be a gift to whoever may write to the store.</summary>
    private const int MaxDepth = 32;

    /// <summary>Reads one JSON value and nothing behind it.</summary>
    /// <returns>A value that lives as long as it is referred to.</returns>
    /// <exception cref="JsonException">The text is not JSON, or nests too deep.</exception>
    internal static JsonElement Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        JsonElement value = JsonElement.ParseValue(ref reader);
        // Throws where something follows.
        reader.Read();
        return value;
    }

    /// <summary>Finds a field; undefined where there is none, also where the owner is no object.</summary>
    /// <param name="owner">The object.</param>
    /// <param name="name">In any case.</param>
    /// <param name="nullCounts">True for the types whose UnmarshalJSON is given null too (addresses, networks, RawMessage).</param>
    internal static JsonElement Find(JsonElement owner, string name, bool nullCounts = false)
    {
        JsonElement found = default;
        if (owner.ValueKind != JsonValueKind.Object) return found;
        foreach (JsonProperty field in owner.EnumerateObject())
        {
            if (!nullCounts && field.Value.ValueKind == JsonValueKind.Null) continue;
            if (TryGetName(field, out string? text) && text.Equals(name, StringComparison.OrdinalIgnoreCase)) found = field.Value;
        }
        return found;
    }

    /// <summary>The text of a JSON string; false for other types and for text that is not Unicode.</summary>
    internal static bool TryGetString(JsonElement value, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (value.ValueKind != JsonValueKind.String) return false;
        try
        {
            text = value.GetString();
        }
        catch (InvalidOperationException)
        {
            // The only way in which the reader tells of invalid UTF-8 and of lone surrogates.
        }
        return text is not null;
    }

    /// <summary>What a message says of a value: its text if it is short and plain, else its type.</summary>
    internal static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Undefined => "nothing",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => TryGetString(value, out string? text) ? Tunnels.InvalidInputException.Quote(text) : "a string that is not Unicode",
        _ => Tunnels.InvalidInputException.Quote(value.GetRawText())[1..^1],
    };

    /// <summary>
    /// Writes a value as Go writes a RawMessage: as it stands, without white space between its parts, and with the characters that HTML gives a
    /// meaning escaped (encoding/json's compact with escapeHTML).
    /// </summary>
    internal static void WriteCompact(JsonElement value, IBufferWriter<byte> output)
    {
        bool inString = false, escaped = false;
        ReadOnlySpan<byte> raw = JsonMarshal.GetRawUtf8Value(value);
        for (int i = 0; i < raw.Length; i++)
        {
            byte b = raw[i];
            if (!inString && b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') continue;
            if (b == '"' && !escaped) inString = !inString;
            escaped = b == '\\' && !escaped;
            if (b is (byte)'<' or (byte)'>' or (byte)'&')
            {
                output.Write(b == '<' ? "\\u003c"u8 : b == '>' ? "\\u003e"u8 : "\\u0026"u8);
            }
            else if (raw[i..].StartsWith("\u2028"u8) || raw[i..].StartsWith("\u2029"u8))
            {
                output.Write(raw[i + 2] == 0xa8 ? "\\u2028"u8 : "\\u2029"u8);
                i += 2;
            }
            else
            {
                output.Write(raw.Slice(i, 1));
            }
        }
    }

    private static bool TryGetName(JsonProperty field, [NotNullWhen(true)] out string? name)
    {
        try
        {
            name = field.Name;
            return true;
        }
        catch (InvalidOperationException)
        {
            // Not Unicode: no name that anybody looks for.
            name = null;
            return false;
        }
    }
}
