using System.Text;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Docker;

/// <summary>
/// The options of the Docker daemon that fit this host's subnet, as packaging/mk-docker-opts.sh writes them: byte for byte the same for the same input.
/// </summary>
/// <param name="variables">
/// What a shell would know after sourcing subnet.env: FLANNEL_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ; every DOCKER_OPT_* becomes an option too.
/// </param>
internal sealed class DockerOptions(IReadOnlyDictionary<string, string> variables)
{
    private const string Prefix = "DOCKER_OPT_";

    /// <summary>One variable for each option (-i).</summary>
    internal bool Each { get; init; } = true;

    /// <summary>One variable for all options together (-c).</summary>
    internal bool Combined { get; init; } = true;

    /// <summary>Name of that one variable (-k). What it holds already comes first.</summary>
    internal string Key { get; init; } = "DOCKER_OPTS";

    /// <summary>Whether --ip-masq is among the options (-m leaves it out).</summary>
    internal bool IpMasq { get; init; } = true;

    /// <summary>The environment file for the unit of Docker.</summary>
    /// <exception cref="InvalidInputException">The key is no name of a variable, or FLANNEL_IPMASQ is neither true nor false.</exception>
    internal string Text
    {
        get
        {
            if (!IsName(Key)) throw new InvalidInputException($"-k: expected the name of a variable, not {InvalidInputException.Quote(Key)}");
            var combined = new StringBuilder();
            if (variables.TryGetValue(Key, out string? before) && before.Length > 0) combined.Append(before).Append(' ');
            var text = new StringBuilder();
            foreach ((string name, string value) in Options())
            {
                combined.Append(' ').Append(value);
                if (Each) Append(text, name, value);
            }
            if (Combined) Append(text, Key, combined.ToString());
            return text.ToString();
        }
    }

    private SortedDictionary<string, string> Options()
    {
        var options = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, string value) in variables)
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && IsName(name)) options[name] = value;
        }
        if (Value("FLANNEL_SUBNET") is { } subnet) options["DOCKER_OPT_BIP"] = $"--bip={subnet}";
        if (Value("FLANNEL_MTU") is { } mtu) options["DOCKER_OPT_MTU"] = $"--mtu={mtu}";
        if (IpMasq && Value("FLANNEL_IPMASQ") is { } masquerades)
        {
            // The inverse: one of both has to do it, not both.
            options["DOCKER_OPT_IPMASQ"] = masquerades switch
            {
                "true" => "--ip-masq=false",
                "false" => "--ip-masq=true",
                _ => throw new InvalidInputException($"Invalid value of FLANNEL_IPMASQ: {InvalidInputException.Quote(masquerades)[1..^1]}"),
            };
        }
        return options;
    }

    private string? Value(string name) => variables.TryGetValue(name, out string? value) && value.Length > 0 ? value : null;

    private static bool IsName(string text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_') return false;
        }
        return text.Length > 0 && !char.IsAsciiDigit(text[0]);
    }

    /// <summary>Between double quotes, for a shell and for systemd alike (systemd.exec(5), EnvironmentFile=).</summary>
    private static void Append(StringBuilder text, string name, string value)
    {
        text.Append(name).Append("=\"");
        foreach (char c in value)
        {
            if (c is '\\' or '"' or '$' or '`') text.Append('\\');
            text.Append(c);
        }
        text.Append("\"\n");
    }
}
