using System.Text.Json.Serialization;

namespace FlannelFast.Control.Tunnels;

/// <summary>How a value was written.</summary>
internal enum SettingKind
{
    /// <summary>Not given at all.</summary>
    None,

    /// <summary>Text of a command-line flag, which may stand for any type.</summary>
    Flag,

    /// <summary>A JSON string.</summary>
    String,

    /// <summary>A JSON number, digits as written.</summary>
    Number,

    /// <summary>JSON <c>true</c> or <c>false</c>.</summary>
    Boolean,
}

/// <summary>
/// One value as the user wrote it, with its place in the file. Flags and files share one validation because both arrive as
/// these; the place makes it possible to name the line of a value that is well-formed JSON and still wrong.
/// </summary>
/// <param name="Text">The text without JSON quotation marks.</param>
/// <param name="Kind">How it was written.</param>
/// <param name="Offset">Bytes from the start of the file to the value; 0 where there is no file.</param>
[JsonConverter(typeof(SettingValueConverter))]
internal readonly record struct SettingValue(string Text, SettingKind Kind, int Offset = 0)
{
    /// <summary>False for the default value: the setting was not given.</summary>
    internal bool IsSet => Kind != SettingKind.None;

    /// <summary>Wraps the argument of a flag; null means that the flag was not given.</summary>
    internal static SettingValue FromFlag(string? text) => text is null ? default : new(text, SettingKind.Flag);

    /// <summary>The value as shown in messages: quoted, except numbers and booleans.</summary>
    public override string ToString() =>
        Kind is SettingKind.Number or SettingKind.Boolean ? Text : InvalidInputException.Quote(Text ?? "");
}
