using System.Net;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Flanneld.Flags;
using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Flanneld;

/// <summary>
/// The command line of flanneld: every flag of stock v0.11 to v0.28 with its default and meaning (main.go), the logging flags that
/// documents for older ones show, and ours.
/// </summary>
internal sealed class FlanneldFlags
{
    private const string Program = "flanneld";

    private const string EnvironmentPrefix = "FLANNELD";

    private readonly GoFlagSet _set = new(Program, RemovedFlags.ReasonOf);
    private readonly HashSet<GoFlag> _stock;
    private readonly EtcdFlags _etcd;
    private readonly InterfaceFlags _interface;
    private readonly FirewallFlags _firewall;
    private readonly ProcessFlags _process;
    private readonly LoggingFlags _logging;
    private readonly KubernetesFlags _kubernetes;
    private readonly OwnFlags _own;
    private readonly EngineFlags _engine;

    internal FlanneldFlags()
    {
        _etcd = new(_set);
        _interface = new(_set);
        _firewall = new(_set);
        _process = new(_set);
        _logging = new(_set);
        _kubernetes = new(_set);
        _stock = [.. _set.Flags];
        _own = new(_set);
        _engine = new(_set);
    }

    /// <summary>-h or -help was given.</summary>
    internal bool IsHelpWanted => _set.IsHelpWanted;

    /// <summary>-version was given. Stock looks at it before the environment, so the variable for it has no effect.</summary>
    internal bool IsVersionWanted { get; private set; }

    /// <summary>The lease renewal margin is one that flannel takes.</summary>
    internal bool HasValidMargin => _process.LeaseRenewMargin.Value is >= 1 and < 24 * 60;

    /// <summary>Reads the command line, then the environment for what is not on it.</summary>
    /// <returns>Null where help or the version is wanted instead.</returns>
    /// <exception cref="GoFlagException">Something on the command line cannot be used.</exception>
    /// <exception cref="InvalidInputException">Likewise, of flags that must fit each other.</exception>
    internal FlanneldOptions? Parse(ReadOnlySpan<string> words, Func<string, string?> variable)
    {
        _set.Parse(words);
        IsVersionWanted = _process.Version.Value;
        if (IsHelpWanted || IsVersionWanted) return null;
        IReadOnlyList<string> refused = _set.ReadEnvironment(EnvironmentPrefix, variable);
        _kubernetes.RefuseIfUsed();
        return ToOptions([.. refused, .. Warnings()]);
    }

    /// <summary>Whether a wrong command line shall end as with stock. Looks at all of it: the flag may stand behind what is wrong.</summary>
    internal static bool WantsCompatExitCodes(IEnumerable<string> words, Func<string, string?> variable)
    {
        var set = new GoFlagSet(Program);
        BooleanFlag flag = new OwnFlags(set).CompatExitCodes;
        foreach (string word in words)
        {
            if (word.TrimStart('-').Split('=')[0] != flag.Name) continue;
            try
            {
                set.Parse([word]);
            }
            catch (GoFlagException)
            {
                return false;
            }
        }
        set.ReadEnvironment(EnvironmentPrefix, name => name.EndsWith("_COMPAT_EXIT_CODES", StringComparison.Ordinal) ? variable(name) : null);
        return flag.Value;
    }

    internal void WriteUsage(TextWriter output)
    {
        output.Write($"Usage: {Program} [OPTION]...\n");
        GoUsage.Write(output, _set.Flags.Where(_stock.Contains));
        output.Write("\nOptions that stock flanneld does not have:\n");
        GoUsage.Write(output, _set.Flags.Where(flag => !_stock.Contains(flag)));
    }

    private IEnumerable<string> Warnings()
    {
        // The trap is "-ip-masq true": a boolean takes no word behind it, so flags after it would be lost without this line.
        if (_set.Rest.Count > 0)
            yield return $"everything from {InvalidInputException.Quote(_set.Rest[0])} on is not read: the first word that is no flag ends the flags, and a switch takes its value behind '=' only";
        foreach (string warning in _logging.Warnings()) yield return warning;
        foreach (string warning in _kubernetes.Warnings()) yield return warning;
    }

    private FlanneldOptions ToOptions(IReadOnlyList<string> warnings) => new()
    {
        Store = new(_etcd.ToOptions(), _own.EtcdApi.Value, _own.StoreDirectory.Value),
        InterfaceRules = new(
            _interface.Names.Values, _interface.Patterns.Values, ToAddress(_interface.CanReach), ToAddress(_interface.PublicIP), ToAddress(_interface.PublicIPv6)),
        SubnetFile = _process.SubnetFile.Value,
        Lease = new() { RenewMargin = TimeSpan.FromMinutes(_process.LeaseRenewMargin.Value), Policy = _own.LeaseLost.Value },
        Firewall = _firewall.ToOptions(),
        HealthAddress = ToAddress(_process.HealthzIP) ?? IPAddress.Any,
        HealthPort = Math.Max(0, _process.HealthzPort.Value),
        Dataplane = _own.Dataplane.Value,
        Tune = _engine.Tune,
        ControlSocket = _own.ControlSocket.Value.Length > 0 ? _own.ControlSocket.Value : ControlSocketPath.For(_process.SubnetFile.Value),
        LogLevel = _logging.Level,
        Summary = OptionSummary.Of(_set.Flags, secret: _etcd.Password),
        Warnings = warnings,
    };

    private static IPAddress? ToAddress(TextFlag flag) => AddressText.TryParse(flag.Value, out IPAddress? address) ? address : null;
}
