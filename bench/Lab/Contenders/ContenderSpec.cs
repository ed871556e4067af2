using System.Globalization;
using FlannelFast.Lab.Hosting;

namespace FlannelFast.Lab.Contenders;

/// <summary>A contender as the user names it.</summary>
/// <param name="Name">What reports call it.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Settings">Settings of the engine in the spelling of the configuration file, as JSON values.</param>
/// <param name="Binary">Another build of this program, or null for the running one.</param>
/// <param name="Peers">How many peers are configured in all, or null for the nodes of the topology only.</param>
/// <param name="Template">Command line of <see cref="ContenderKind.Exec"/> and <see cref="ContenderKind.Bare"/>.</param>
internal sealed record ContenderSpec(
    string Name, ContenderKind Kind, IReadOnlyDictionary<string, string> Settings, string? Binary, int? Peers, CommandTemplate? Template)
{
    internal const string Syntax = "raw, kernel-vxlan, bare, udp[:SWITCH=VALUE,…], vxlan[:SWITCH=VALUE,…] or exec:NAME=COMMAND";

    // What the lab itself decides; the rest of the settings of a tunnel is the user's to vary.
    private static readonly string[] s_reserved =
        ["device", "local", "network", "networks", "subnet", "subnets", "encap", "port", "vni", "mac", "peer", "config", "check", "socket", "log-level"];

    private static readonly IReadOnlyDictionary<string, string> s_none = new Dictionary<string, string>();

    /// <summary>Reads a contender.</summary>
    /// <param name="place">What a message begins with.</param>
    /// <param name="text">"udp:coalesce=off,queues=2" and the like.</param>
    /// <exception cref="LabException">It has not one of the forms of <see cref="Syntax"/>.</exception>
    internal static ContenderSpec Parse(string place, string text)
    {
        string[] parts = text.Split(':', 2);
        string? rest = parts.ElementAtOrDefault(1);
        return (parts[0], rest) switch
        {
            ("raw", null) => new("raw", ContenderKind.Raw, s_none, null, null, null),
            ("kernel-vxlan", null) => new("kernel-vxlan", ContenderKind.KernelVxlan, s_none, null, null, null),
            ("bare", null) => new("bare", ContenderKind.Bare, s_none, null, null, CommandTemplate.Parse(place, $"exec {Self.Path} lab-agent bare --local {{local}} --peer {{peer}} --device {{device}}")),
            ("udp", _) => ParseEngine(place, text, ContenderKind.Udp, rest),
            ("vxlan", _) => ParseEngine(place, text, ContenderKind.Vxlan, rest),
            ("exec", not null) => ParseExec(place, rest),
            _ => throw LabException.Input($"{place}: expected {Syntax}, not \"{text}\""),
        };
    }

    private static ContenderSpec ParseEngine(string place, string text, ContenderKind kind, string? switches)
    {
        var settings = new Dictionary<string, string>();
        string? binary = null;
        int? peers = null;
        foreach (string one in switches?.Split(',') ?? [])
        {
            if (one.Split('=', 2) is not [{ Length: > 0 } key, { Length: > 0 } value])
                throw LabException.Input($"{place}: \"{text}\": expected SWITCH=VALUE, for example coalesce=off, not \"{one}\"");
            if (s_reserved.Contains(key.Replace('_', '-')))
                throw LabException.Input($"{place}: \"{text}\": {key} is chosen by the lab; switches are the other flags of \"flannelfast tunnel\", binary and peers");
            bool isNew = key switch
            {
                "binary" => binary is null & (binary = value) is not null,
                "peers" => peers is null & (peers = PeerCount(place, text, value)) is not null,
                _ => settings.TryAdd(key.Replace('-', '_'), ToJson(key, value)),
            };
            if (!isNew) throw LabException.Input($"{place}: \"{text}\": {key} is given twice");
        }
        return new(text, kind, settings, binary, peers, null);
    }

    private static ContenderSpec ParseExec(string place, string text)
    {
        if (text.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } command] || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            throw LabException.Input($"{place}: expected exec:NAME=COMMAND with a name of letters, digits, '-', '_' and '.', not \"exec:{text}\"");
        return new(name, ContenderKind.Exec, s_none, null, null, CommandTemplate.Parse($"{place}: exec:{name}", command));
    }

    private static int PeerCount(string place, string text, string value)
    {
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= AddressPlan.MaxPeers) return count;
        throw LabException.Input($"{place}: \"{text}\": peers: expected a whole number from 1 to {AddressPlan.MaxPeers}, not \"{value}\"");
    }

    // The file has true, false and numbers where flags have "on", "off" and digits, but for the one switch with a third position.
    private static string ToJson(string key, string value) => value switch
    {
        "on" or "off" when key is "express-lane" or "express_lane" => $"\"{value}\"",
        "on" or "true" => "true",
        "off" or "false" => "false",
        _ when long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) => number.ToString(CultureInfo.InvariantCulture),
        _ => $"\"{System.Text.Json.JsonEncodedText.Encode(value)}\"",
    };
}
