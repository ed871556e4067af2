using System.Collections;
using System.CommandLine;
using System.Net;
using System.Text;
using FlannelFast.Control.Docker;
using FlannelFast.Control.Files;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>flannelfast docker-opts</c>: what packaging/mk-docker-opts.sh does, without a shell.</summary>
internal static class DockerOptsCommand
{
    private const int MaxFileSize = 64 * 1024;

    internal static Command Build(CommandContext context, ExamplesHelpAction help)
    {
        Option<string> source = Text("-f", "FILE", "What flanneld wrote", "/run/flannel/subnet.env");
        Option<string> target = Text("-d", "FILE", "Where to write to", "/run/docker_opts.env");
        Option<string> key = Text("-k", "NAME", "Name of the variable that has all options", "DOCKER_OPTS");
        Option<bool> each = Switch("-i", "One variable for each option: DOCKER_OPT_BIP, DOCKER_OPT_IPMASQ, DOCKER_OPT_MTU");
        Option<bool> combined = Switch("-c", "One variable for all options together. Without -i and -c both kinds are written");
        Option<bool> withoutMasq = Switch("-m", "Leave out --ip-masq, for a Docker too old to know it");
        var command = new Command("docker-opts", "Write the options of the Docker daemon that fit this host's subnet, as mk-docker-opts.sh does")
        {
            source, target, each, combined, withoutMasq, key,
        };
        command.SetAction(result =>
        {
            bool isEach = result.GetValue(each), isCombined = result.GetValue(combined), neither = !isEach && !isCombined;
            try
            {
                Dictionary<string, string> variables = Variables(result.GetValue(source)!);
                var options = new DockerOptions(variables)
                {
                    Each = isEach || neither,
                    Combined = isCombined || neither,
                    IpMasq = !result.GetValue(withoutMasq),
                    Key = result.GetValue(key)!,
                };
                Write(result.GetValue(target)!, options.Text);
                if (variables.TryGetValue("FLANNEL_SUBNET", out string? subnet) && FindForeignRoute(subnet) is { } route)
                    return context.Fail(ExitCode.Failure, $"Your routing table already contains the subnet: {route}");
                return ExitCode.Success;
            }
            catch (Exception e) when (e is InvalidInputException or IOException)
            {
                return context.Fail(ExitCode.Failure, e.Message);
            }
        });
        help.Examples[command] = ["flannelfast docker-opts -k DOCKER_NETWORK_OPTIONS -d /run/flannel/docker"];
        return command;
    }

    private static Option<string> Text(string name, string valueName, string description, string defaultValue) =>
        new(name) { Description = description, HelpName = valueName, DefaultValueFactory = _ => defaultValue };

    private static Option<bool> Switch(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>The environment, and over it what the file sets. A file that is not there sets nothing.</summary>
    private static Dictionary<string, string> Variables(string path)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables()) variables[(string)variable.Key] = (string?)variable.Value ?? "";
        if (AtomicFile.TryRead(path, MaxFileSize) is not { } content) return variables;
        foreach ((string name, string value) in EnvironmentFile.Parse(Encoding.UTF8.GetString(content))) variables[name] = value;
        return variables;
    }

    /// <summary>In place, not by a rename: the target may be /dev/stdout, or a file that is mounted into a container.</summary>
    private static void Write(string path, string text)
    {
        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"cannot write {path}: {e.Message}", e);
        }
    }

    /// <summary>A network of the underlay with the pods' addresses would take their packets. A route without a gateway is the bridge's own.</summary>
    private static string? FindForeignRoute(string subnet)
    {
        if (PreviousSubnets.Parse($"FLANNEL_SUBNET={subnet}").Subnet is not { } own) return null;
        using var netlink = new NetlinkClient();
        foreach (Route route in netlink.Routes.List())
        {
            if (route.Destination.Equals(own) && route.Gateway is not null)
                return $"{route} dev {netlink.Links.Find(route.LinkIndex)?.Name ?? $"#{route.LinkIndex}"}";
        }
        return null;
    }
}
