using System.Globalization;
using System.Text.Json;

namespace FlannelFast.Lab.Scenarios;

/// <summary>
/// Reads the fields of a JSON object one by one and complains in the words of the file's author: where, what was expected, what
/// is there. <see cref="Finish"/> refuses what nobody asked for, so that a misspelt field is not a silent default.
/// </summary>
internal sealed class JsonFields
{
    private readonly string _place;
    private readonly JsonElement _object;
    private readonly List<string> _known = [];

    /// <param name="place">What messages begin with: file name and path, "my.json: workloads[2]".</param>
    /// <param name="value">The object.</param>
    /// <exception cref="LabException">It is no object.</exception>
    internal JsonFields(string place, JsonElement value)
    {
        (_place, _object) = (place, value);
        if (value.ValueKind != JsonValueKind.Object) throw LabException.Input($"{place}: expected an object in braces, not {value.GetRawText()}");
    }

    /// <summary>Where a field is, for messages of others.</summary>
    internal string Place(string name) => $"{_place}{(_place.EndsWith(']') ? "." : ": ")}{name}";

    /// <summary>A text; without a default it must be there.</summary>
    internal string Text(string name, string? absent = null)
    {
        if (Get(name, absent is null) is not { } value) return absent!;
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text) return text;
        throw Unexpected(name, "a text", value);
    }

    /// <summary>A whole number between bounds; without a default it must be there.</summary>
    internal int Integer(string name, int min, int max, int? absent = null)
    {
        if (Get(name, absent is null) is not { } value) return absent!.Value;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= min && number <= max) return number;
        throw Unexpected(name, string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}"), value);
    }

    /// <summary>A number between bounds; without a default it must be there.</summary>
    internal double Number(string name, double min, double max, double? absent = null)
    {
        if (Get(name, absent is null) is not { } value) return absent!.Value;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= min && number <= max) return number;
        throw Unexpected(name, string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}"), value);
    }

    /// <summary>true or false; false if it is not there.</summary>
    internal bool Switch(string name) => Get(name, required: false) is { } value && value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Unexpected(name, "true or false", value),
    };

    /// <summary>A list with at least one item, which must be there.</summary>
    internal JsonElement[] List(string name)
    {
        JsonElement value = Get(name, required: true)!.Value;
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0) return [.. value.EnumerateArray()];
        throw Unexpected(name, "an array with at least one item", value);
    }

    /// <summary>Call after the last field was read.</summary>
    /// <exception cref="LabException">There is another field, or one is there twice.</exception>
    internal void Finish()
    {
        var seen = new HashSet<string>();
        foreach (JsonProperty field in _object.EnumerateObject())
        {
            if (!_known.Contains(field.Name)) throw LabException.Input($"{Place(field.Name)}: no such field here; expected one of {string.Join(", ", _known)}");
            if (!seen.Add(field.Name)) throw LabException.Input($"{Place(field.Name)}: given twice");
        }
    }

    private JsonElement? Get(string name, bool required)
    {
        _known.Add(name);
        if (_object.TryGetProperty(name, out JsonElement value)) return value;
        return required ? throw LabException.Input($"{Place(name)}: missing") : null;
    }

    private LabException Unexpected(string name, string expected, JsonElement value) =>
        LabException.Input($"{Place(name)}: expected {expected}, not {value.GetRawText()}");
}
