namespace FlannelFast.Control.Tunnels;

/// <summary>Where settings came from: how messages name a setting, so that the reader can go to the place and change it.</summary>
internal abstract class SettingOrigin
{
    /// <summary>The setting as the user spells it: "--source-check", or "source_check".</summary>
    /// <param name="key">One of <see cref="SettingKeys"/>.</param>
    internal abstract string Name(string key);

    /// <summary>The place to begin a message with: "--port", or "ff.json:7: port".</summary>
    internal abstract string Describe(string key, SettingValue value);

    /// <summary>The place of a value inside the list of peers.</summary>
    /// <param name="index">0-based position in the list.</param>
    /// <param name="peer">The peer as written.</param>
    /// <param name="part">The field of the peer: "subnet", "public_ip" or "vtep_mac".</param>
    /// <param name="value">That field's value; <c>default</c> when it is missing.</param>
    internal abstract string DescribePeer(int index, PeerSettings peer, string part, SettingValue value);

    /// <summary>An error of the form "place: expected this, not that".</summary>
    internal InvalidInputException Unexpected(string key, SettingValue value, string expected) =>
        new($"{Describe(key, value)}: expected {expected}, not {value}");

    /// <summary>An error of the form "place: sentence".</summary>
    internal InvalidInputException Refused(string key, SettingValue value, string sentence) =>
        new($"{Describe(key, value)}: {sentence}");

    /// <summary>An error for a setting that must be given and is not.</summary>
    internal InvalidInputException Missing(string key, string expected) =>
        new($"{Describe(key, default)} is missing: expected {expected}");
}
