using System.Text.Json.Serialization;

namespace FlannelFast.Control.Tunnels;

/// <summary>One peer as the user wrote it.</summary>
internal sealed class PeerSettings
{
    private const string Syntax = "SUBNET=IP or SUBNET=IP,MAC, for example 10.5.2.0/24=192.0.2.2";

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public SettingValue Subnet { get; init; }

    [JsonPropertyName(SettingKeys.PeerPublicIP)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public SettingValue PublicIP { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public SettingValue VtepMac { get; init; }

    /// <summary>Splits "SUBNET=IP[,MAC]". Only the shape is checked here; the parts are checked where all peers are.</summary>
    /// <param name="place">What a message begins with: the flag or the argument's name.</param>
    /// <param name="argument">The text.</param>
    /// <exception cref="InvalidInputException">A part is missing or there are too many.</exception>
    internal static PeerSettings FromArgument(string place, string argument)
    {
        string[] sides = argument.Split('=');
        string[] host = sides.Length == 2 ? sides[1].Split(',') : [];
        if (host.Length is not (1 or 2) || sides[0].Length == 0 || host.Any(string.IsNullOrEmpty))
            throw new InvalidInputException($"{place}: expected {Syntax}, not {InvalidInputException.Quote(argument)}");
        return new()
        {
            Subnet = SettingValue.FromFlag(sides[0]),
            PublicIP = SettingValue.FromFlag(host[0]),
            VtepMac = SettingValue.FromFlag(host.ElementAtOrDefault(1)),
        };
    }

    /// <summary>The peer in the form of <see cref="FromArgument"/>, safe to print.</summary>
    internal string ToArgument()
    {
        string text = $"{Subnet.Text}={PublicIP.Text}{(VtepMac.IsSet ? "," + VtepMac.Text : "")}";
        return InvalidInputException.Quote(text)[1..^1];
    }
}
