using System.Text.Json;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// Says what is wrong with a configuration file in the words of its author. The serializer's own sentences name .NET types;
/// they are recognised by their beginnings, and a sentence that is not known is shown as it stands rather than guessed at.
/// </summary>
internal static class JsonErrorText
{
    /// <summary>One line without file name and line number.</summary>
    internal static string Explain(JsonException e)
    {
        string place = InvalidInputException.Quote((e.Path ?? "$").TrimStart('$').TrimStart('.'))[1..^1];
        string prefix = place.Length == 0 ? "" : place + ": ";

        if (e.InnerException is JsonException syntax) return "not valid JSON: " + WithoutPosition(syntax.Message);
        if (Starts("The JSON property ")) return $"{prefix}no such field; expected one of {string.Join(", ", FieldsAt(place))}";
        if (Starts("Duplicate property ")) return $"{prefix}given twice; expected it once";
        if (Starts("The property or field ")) return $"{prefix}expected an array, not null";
        if (Starts("The JSON value could not be converted "))
            return place.Length == 0 || place.EndsWith(']') ? $"{prefix}expected an object in braces" : $"{prefix}expected an array";
        return prefix + WithoutPosition(e.Message);

        bool Starts(string beginning) => e.Message.StartsWith(beginning, StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> FieldsAt(string place) =>
        place.StartsWith(SettingKeys.Peers + "[", StringComparison.Ordinal) ? SettingKeys.OfPeer : SettingKeys.All;

    /// <summary>Cuts "Path: … | LineNumber: … | BytePositionInLine: …", which the message already begins with in readable form.</summary>
    private static string WithoutPosition(string message)
    {
        int end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        if (end < 0) end = message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        return InvalidInputException.Quote(end < 0 ? message : message[..end], limit: 200)[1..^1];
    }
}
