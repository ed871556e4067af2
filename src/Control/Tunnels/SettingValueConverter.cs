using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FlannelFast.Control.Tunnels;

/// <summary>Reads any JSON scalar into a <see cref="SettingValue"/> and keeps its offset; arrays, objects and null are refused.</summary>
internal sealed class SettingValueConverter : JsonConverter<SettingValue>
{
    // A double has at most 17 significant digits; everything a tunnel is told fits in far less.
    private const int LongestNumber = 32;

    public override bool HandleNull => true;

    public override SettingValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        int offset = (int)reader.TokenStartIndex;
        return reader.TokenType switch
        {
            JsonTokenType.String => new(Text(ref reader), SettingKind.String, offset),
            JsonTokenType.Number when reader.ValueSpan.Length <= LongestNumber =>
                new(Encoding.ASCII.GetString(reader.ValueSpan), SettingKind.Number, offset),
            JsonTokenType.Number => throw new JsonException("expected a shorter number"),
            JsonTokenType.True => new("true", SettingKind.Boolean, offset),
            JsonTokenType.False => new("false", SettingKind.Boolean, offset),
            JsonTokenType.Null => throw new JsonException("expected a value, not null; leave the field out to get its default"),
            JsonTokenType.StartArray => throw new JsonException("expected a single value, not an array"),
            _ => throw new JsonException("expected a single value, not an object"),
        };
    }

    public override void Write(Utf8JsonWriter writer, SettingValue value, JsonSerializerOptions options)
    {
        if (value.Kind is SettingKind.Number or SettingKind.Boolean) writer.WriteRawValue(value.Text);
        else writer.WriteStringValue(value.Text);
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // What Utf8JsonReader throws for bytes that are no UTF-8 and for lone surrogate escapes.
            throw new JsonException("expected text in UTF-8");
        }
    }
}
