using System.Text.Json;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends;

/// <summary>
/// The fields of the network config's <c>Backend</c> object, read as Go's encoding/json reads them for flannel: names without regard to
/// case, the last of several wins, null is as good as absent, unknown fields are ignored, a value of another type is an error.
/// </summary>
/// <param name="backend">Where they stand.</param>
internal readonly struct BackendFields(BackendConfig backend)
{
    /// <summary>A whole number; <paramref name="absent"/> where the config has none.</summary>
    /// <exception cref="NetworkConfigException">It is something else, or out of range.</exception>
    internal int Number(string name, int absent, int min, int max)
    {
        int number = absent;
        foreach (JsonElement value in Values(name))
        {
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out number) || number < min || number > max)
                throw Unexpected(name, value, $"a whole number from {min} to {max}");
        }
        return number;
    }

    /// <summary>A truth value; false where the config has none.</summary>
    /// <exception cref="NetworkConfigException">It is something else.</exception>
    internal bool Flag(string name)
    {
        bool flag = false;
        foreach (JsonElement value in Values(name))
        {
            if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) throw Unexpected(name, value, "true or false");
            flag = value.GetBoolean();
        }
        return flag;
    }

    /// <summary>A text; empty where the config has none.</summary>
    /// <exception cref="NetworkConfigException">It is something else, or no Unicode.</exception>
    internal string Text(string name)
    {
        string text = "";
        foreach (JsonElement value in Values(name))
        {
            text = GoJson.TryGetString(value, out string? read) ? read : throw Unexpected(name, value, "a string");
        }
        return text;
    }

    /// <summary>What to throw about one field.</summary>
    /// <param name="name">As documented.</param>
    /// <param name="value">As the config has it.</param>
    /// <param name="expected">What follows "expected".</param>
    internal NetworkConfigException Unexpected(string name, object value, string expected)
    {
        string text = value is JsonElement element ? element.GetRawText() : $"{value}";
        if (text.Length > 60) text = text[..60] + "…";
        return new($"{name} of the {backend.Type} backend: expected {expected}, not {text}");
    }

    private List<JsonElement> Values(string name)
    {
        List<JsonElement> values = [];
        if (backend.Fields.ValueKind != JsonValueKind.Object) return values;
        foreach (JsonProperty field in backend.Fields.EnumerateObject())
        {
            if (field.Name.Equals(name, StringComparison.OrdinalIgnoreCase) && field.Value.ValueKind != JsonValueKind.Null) values.Add(field.Value);
        }
        return values;
    }
}
