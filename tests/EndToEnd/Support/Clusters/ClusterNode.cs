using System.Diagnostics;

namespace FlannelFast.EndToEnd.Support.Clusters;

/// <summary>
/// One host of a <see cref="Cluster"/>: a network namespace, and directories of its own in the places where flanneld keeps files, so that command
/// lines run there as they stand.
/// </summary>
internal sealed class ClusterNode : IDisposable
{
    // "ip netns exec" has made a mount namespace already (ip-netns(8)): what is mounted here is seen by this program only.
    // "tun" is there where a test made it with OfferTun.
    private const string Launcher = """
        for place in flannel flannelfast; do mkdir -p /run/$place && mount --bind "$1/$place" /run/$place || exit 99; done
        [ ! -e "$1/tun" ] || mount --bind "$1/tun" /dev/net/tun || exit 99
        shift; unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY; exec "$@"
        """;

    private Netns? _pod;

    public ClusterNode(int number, string directory)
    {
        (Number, Directory) = (number, directory);
        foreach (string place in (string[])["flannel", "flannelfast"])
            System.IO.Directory.CreateDirectory(Path.Combine(directory, place), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>From 1.</summary>
    public int Number { get; }

    /// <summary>Holds what the node sees as /run/flannel and /run/flannelfast.</summary>
    public string Directory { get; }

    public Netns Netns { get; } = Netns.Create();

    /// <summary>192.0.2.NUMBER.</summary>
    public string Address => $"192.0.2.{Number}";

    /// <summary>Where the node's /run/flannel/subnet.env is, from outside.</summary>
    public string SubnetFile => Path.Combine(Directory, "flannel/subnet.env");

    /// <summary>The pod's IPv4 address; empty without IPv4.</summary>
    public string PodAddress { get; private set; } = "";

    /// <summary>The pod's IPv6 address; empty without IPv6.</summary>
    public string PodAddressV6 { get; private set; } = "";

    /// <summary>The pod, once <see cref="AddPod"/> has made it.</summary>
    public Netns Pod => _pod ?? throw new InvalidOperationException("there is no pod yet");

    /// <summary>The variables of a subnet file.</summary>
    public Dictionary<string, string> Subnet(string? file = null) => File.ReadAllLines(file ?? SubnetFile).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    /// <summary>The leased IPv4 subnet as "10.5.7.0/24"; the file has its first address instead.</summary>
    public string LeasedSubnet => Subnet()["FLANNEL_SUBNET"].Replace(".1/", ".0/", StringComparison.Ordinal);

    /// <summary>The key of the lease in etcd, under the default prefix.</summary>
    public string LeaseKey => $"/coreos.com/network/subnets/{LeasedSubnet.Replace('/', '-')}";

    /// <summary>From now on every user may open /dev/net/tun here, as udev has it on most distributions; without it the kernel makes it root's alone.</summary>
    public void OfferTun()
    {
        string tun = Path.Combine(Directory, "tun");
        if (!File.Exists(tun)) Shell.Run("mknod", "-m", "0666", tun, "c", "10", "200");
    }

    /// <summary>The arguments of <c>ip</c> that run a program as one of this host.</summary>
    public string[] CommandLine(string program, params string[] arguments) =>
        Netns.CommandLine("/bin/sh", ["-c", Launcher, "launcher", Directory, program, .. arguments]);

    /// <summary>Runs a program of this host, whatever its exit code.</summary>
    public CommandResult Try(string program, params string[] arguments) => Shell.Try("ip", CommandLine(program, arguments));

    /// <summary>Runs a program of this host and demands exit code 0.</summary>
    public CommandResult Run(string program, params string[] arguments) => Try(program, arguments).OrThrow();

    /// <summary>Starts a program of this host, with more in its environment. The caller owns it.</summary>
    public Process Start(IReadOnlyDictionary<string, string> environment, string program, params string[] arguments) =>
        Shell.Start("ip", CommandLine("env", [.. environment.Select(pair => $"{pair.Key}={pair.Value}"), program, .. arguments]));

    /// <summary>
    /// What Docker or a CNI plugin does with the subnet: a bridge with its first address, and a pod with the second one, which sends everything
    /// there. Made anew when there is one already.
    /// </summary>
    /// <param name="file">The subnet file; by default /run/flannel/subnet.env.</param>
    /// <param name="bridge">Name of the bridge.</param>
    public void AddPod(string? file = null, string bridge = "cni0")
    {
        Dictionary<string, string> subnet = Subnet(file);
        _pod?.Dispose();
        _pod = Netns.Create();
        if (Netns.Try("ip", "link", "show", bridge).ExitCode == 0) Netns.Ip("link", "del", bridge);
        Netns.Ip("link", "add", bridge, "mtu", subnet["FLANNEL_MTU"], "type", "bridge");
        Netns.Ip("link", "add", $"v{bridge}", "mtu", subnet["FLANNEL_MTU"], "type", "veth", "peer", "name", "eth0", "netns", _pod.Name, "mtu", subnet["FLANNEL_MTU"]);
        Netns.Ip("link", "set", $"v{bridge}", "master", bridge, "up");
        Netns.Ip("link", "set", bridge, "up");
        _pod.Ip("link", "set", "eth0", "up");
        if (subnet.TryGetValue("FLANNEL_SUBNET", out string? gateway)) PodAddress = Connect(_pod, bridge, gateway, "ipv4/ip_forward");
        if (subnet.TryGetValue("FLANNEL_IPV6_SUBNET", out gateway)) PodAddressV6 = Connect(_pod, bridge, gateway, "ipv6/conf/all/forwarding");
    }

    /// <summary>The first address of the subnet becomes the bridge's, the next one the pod's.</summary>
    private string Connect(Netns pod, string bridge, string gateway, string forwarding)
    {
        string[] parts = gateway.Split('/');
        char separator = parts[0].Contains(':', StringComparison.Ordinal) ? ':' : '.';
        string address = $"{parts[0][..parts[0].LastIndexOf(separator)]}{separator}2";
        // Nobody else has these addresses, and a duplicate address detection takes a second.
        string[] ready = separator == ':' ? ["nodad"] : [];
        Netns.WriteSysctl(forwarding, "1");
        Netns.Ip(["address", "add", gateway, "dev", bridge, .. ready]);
        pod.Ip(["address", "add", $"{address}/{parts[1]}", "dev", "eth0", .. ready]);
        pod.Ip("route", "add", "default", "via", parts[0]);
        return address;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _pod?.Dispose();
        Netns.Dispose();
    }
}
