using System.CommandLine;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Tunnels;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Commands;

/// <summary>
/// The flags that name a store, for the commands that look at one: those of flanneld, with its environment variables behind them, so
/// that what configures the daemon configures the command.
/// </summary>
internal sealed class StoreFlags
{
    private const string EnvironmentPrefix = "FLANNELD_";

    private readonly CommandContext _context;
    private readonly List<Option<string>> _all = [];
    private readonly Option<string> _directory, _api, _endpoints, _prefix, _caFile, _certFile, _keyFile, _userName, _password;

    internal StoreFlags(CommandContext context)
    {
        _context = context;
        _directory = Add("--store-dir", "PATH", "Directory of an embedded store, in place of etcd");
        _endpoints = Add("--etcd-endpoints", "URL,...", "etcd endpoints, separated by commas", EtcdOptions.DefaultEndpoints);
        _prefix = Add("--etcd-prefix", "PATH", "Where flannel's keys lie in etcd", EtcdOptions.DefaultPrefix);
        _api = Add("--etcd-api", "auto|v3|v2", "API of etcd; auto takes v3, and v2 where only that holds the config", "auto");
        _caFile = Add("--etcd-cafile", "FILE", "PEM file of the authorities that sign etcd's certificates");
        _certFile = Add("--etcd-certfile", "FILE", "PEM file of the client certificate");
        _keyFile = Add("--etcd-keyfile", "FILE", "PEM file of its key");
        _userName = Add("--etcd-username", "NAME", "User of etcd");
        _password = Add("--etcd-password", "TEXT", $"Its password; better given as {EnvironmentPrefix}ETCD_PASSWORD, which other users cannot see");
    }

    internal void AddTo(Command command)
    {
        foreach (Option<string> option in _all) command.Options.Add(option);
    }

    /// <summary>Opens the store, runs an action on it, and says in one line what went wrong.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    internal async Task<int> RunAsync(ParseResult result, Func<ISubnetRegistry, Task<int>> action)
    {
        try
        {
            using ILoggerFactory loggers = _context.Logging(LogLevel.Warning);
            await using ISubnetRegistry registry = StoreSelection.OpenRegistry(Read(result), TimeProvider.System, loggers, new Random());
            return await action(registry).ConfigureAwait(false);
        }
        catch (InvalidInputException e)
        {
            return _context.Fail(ExitCode.BadInput, e.Message);
        }
        catch (Exception e) when (e is StoreUnavailableException or StoreConflictException)
        {
            return _context.Fail(ExitCode.Failure, e.Message);
        }
    }

    private StoreOptions Read(ParseResult result)
    {
        EtcdApi api = Value(_api) switch
        {
            "auto" => EtcdApi.Auto,
            "v3" => EtcdApi.V3,
            "v2" => EtcdApi.V2,
            string other => throw new InvalidInputException($"--etcd-api: expected auto, v3 or v2, not {InvalidInputException.Quote(other)}"),
        };
        var etcd = EtcdOptions.Create(
            Value(_endpoints), Value(_prefix), Value(_caFile), Value(_certFile), Value(_keyFile), Value(_userName), Value(_password));
        return new(etcd, api, Value(_directory));

        string Value(Option<string> option)
        {
            if (result.GetResult(option) is { Implicit: false }) return result.GetValue(option)!;
            string variable = EnvironmentPrefix + option.Name[2..].Replace('-', '_').ToUpperInvariant();
            // Empty is the same as not set, as it is for flanneld.
            return _context.Variable(variable) is { Length: > 0 } value ? value : result.GetValue(option) ?? "";
        }
    }

    private Option<string> Add(string name, string helpName, string description, string? absent = null)
    {
        var option = new Option<string>(name) { Description = description, HelpName = helpName };
        if (absent is not null) option.DefaultValueFactory = _ => absent;
        _all.Add(option);
        return option;
    }
}
