using System.Net;
using System.Text.Json;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Extension;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tests.Backends.Support;

namespace FlannelFast.Control.Tests.Backends.Extension;

/// <summary>Commands that write down what they were given, in stock's environment and on stock's input.</summary>
public sealed class ExtensionBackendTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ff-extension-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string Log => Path.Combine(_directory, "log");

    [Fact]
    public void What_PreStartupCommand_prints_is_published_as_a_string()
    {
        // Two pipes: what comes at the same moment may be read in either order.
        string script = Script("pre", "printf ' key \"1\"\\n'; sleep 0.2; printf '<ü>\\n' >&2");
        IBackend backend = Prepare(("PreStartupCommand", script));
        Assert.Equal("extension", backend.Announcement.BackendType);
        Assert.Equal("key \"1\"\n<ü>", backend.Announcement.BackendData.GetString());
        Assert.Equal(1500, backend.Mtu);
    }

    [Fact]
    public void Without_PreStartupCommand_nothing_is_published() => Assert.Equal(JsonValueKind.Undefined, Prepare().Announcement.BackendData.ValueKind);

    [Fact]
    public void A_failed_PreStartupCommand_is_the_end()
    {
        string script = Script("pre", "echo no device; exit 1");
        Assert.Equal($"PreStartupCommand ended with code 1: {script}: it printed: no device", Assert.Throws<IOException>(() => Prepare(("PreStartupCommand", script))).Message);
    }

    [Fact]
    public void PostStartupCommand_gets_what_stock_gives()
    {
        string script = Script("post", $"echo \"$NETWORK $SUBNET [$IPV6SUBNET] $PUBLIC_IP [$PUBLIC_IPV6]\" > {Log}");
        Prepare(("PostStartupCommand", script)).Start(Sample.Lease(1, "extension"));
        Assert.Equal("10.5.0.0/16 10.5.1.0/24 [] 192.0.2.1 []\n", File.ReadAllText(Log));
    }

    [Fact]
    public void Peers_are_added_changed_and_removed_once_each()
    {
        IBackend backend = Started();
        Lease two = Sample.Lease(2, "extension", "\"key 2\""), three = Sample.Lease(3, "extension");
        Assert.Equal(["10.5.2.0/24 at 192.0.2.2 added", "10.5.3.0/24 at 192.0.2.3 added"], backend.Apply([Sample.Lease(1, "extension"), two, three, Sample.Lease(4, "vxlan")]).Changes.Order());
        Assert.Equal(["add 10.5.2.0/24 192.0.2.2 key 2", "add 10.5.3.0/24 192.0.2.3"], Logged());
        Assert.Empty(backend.Apply([two, three]).Changes);
        Assert.Empty(Logged());

        Lease moved = two with { Attributes = two.Attributes with { PublicIP = IPAddress.Parse("192.0.2.22") } };
        backend.Apply([moved]);
        Assert.Equal(["add 10.5.2.0/24 192.0.2.22 key 2", "remove 10.5.3.0/24 192.0.2.3"], Logged());
        // With what was added, not with what the store may say by now.
        backend.Apply([]);
        Assert.Equal(["remove 10.5.2.0/24 192.0.2.22 key 2"], Logged());
    }

    [Fact]
    public void What_failed_is_run_again_and_concerns_one_peer()
    {
        string flag = Path.Combine(_directory, "works");
        IBackend backend = Started($"[ $SUBNET != 10.5.2.0/24 ] || [ -e {flag} ] || exit 9");
        Lease[] leases = [Sample.Lease(2, "extension"), Sample.Lease(3, "extension")];
        ApplyResult result = backend.Apply(leases);
        Assert.Equal(["10.5.3.0/24 at 192.0.2.3 added"], result.Changes);
        Assert.StartsWith("lease 10.5.2.0/24: SubnetAddCommand ended with code 9", Assert.Single(result.Failures), StringComparison.Ordinal);
        File.WriteAllText(flag, "");
        Assert.Equal(["10.5.2.0/24 at 192.0.2.2 added"], backend.Apply(leases).Changes);
    }

    /// <summary>One peer whose command hangs costs its time once, not everybody's at every round.</summary>
    [Fact]
    public void A_command_that_hangs_does_not_keep_the_others_away()
    {
        IBackend backend = Started("[ $SUBNET != 10.5.2.0/24 ] || sleep 300");
        Lease[] leases = [Sample.Lease(2, "extension"), Sample.Lease(3, "extension"), Sample.Lease(4, "extension")];
        ApplyResult first = backend.Apply(leases);
        Assert.Contains(first.Failures, failure => failure.Contains("did not end within 10 s", StringComparison.Ordinal));
        Assert.Contains(first.Failures, failure => failure.Contains("the others follow", StringComparison.Ordinal));
        Assert.Equal(2, backend.Apply(leases).Changes.Count);
    }

    [Fact]
    public void Data_that_is_no_string_is_refused()
    {
        IBackend backend = Started();
        ApplyResult result = backend.Apply([Sample.Lease(2, "extension", """{"a":1}""")]);
        Assert.Equal("lease 10.5.2.0/24: its BackendData is no string, which extension hosts publish", Assert.Single(result.Failures));
        Assert.Empty(Logged());
    }

    [Fact]
    public void A_command_that_is_no_string_is_refused()
    {
        var refused = Assert.Throws<NetworkConfigException>(() => ExtensionBackend.Prepare(
            Sample.Context(Sample.Network("""{"Type":"extension","subnetaddcommand":["a"]}"""), Sample.External(1))));
        Assert.Equal("SubnetAddCommand of the extension backend: expected a string, not [\"a\"]", refused.Message);
    }

    [Fact]
    public void Another_mtu_is_announced()
    {
        IBackend backend = Prepare();
        int announced = 0;
        backend.AnnouncementChanged += () => announced++;
        backend.Follow(Sample.External(1, mtu: 1400));
        backend.Follow(Sample.External(1, mtu: 1400));
        Assert.Equal((1400, 1), (backend.Mtu, announced));
    }

    private IBackend Started(string more = ":")
    {
        string add = Script("add", $"{more}\nprintf 'add %s %s ' $1 $PUBLIC_IP >> {Log}; cat >> {Log}");
        string remove = Script("remove", $"printf 'remove %s %s ' $1 $PUBLIC_IP >> {Log}; cat >> {Log}");
        IBackend backend = Prepare(("SubnetAddCommand", $"{add} $SUBNET"), ("SubnetRemoveCommand", $"{remove} ${{SUBNET}}"));
        backend.Start(Sample.Lease(1, "extension"));
        return backend;
    }

    private string[] Logged()
    {
        if (!File.Exists(Log)) return [];
        string[] lines = [.. File.ReadAllLines(Log).Select(line => line.TrimEnd()).Order()];
        File.Delete(Log);
        return lines;
    }

    private static IBackend Prepare(params (string Name, string Command)[] commands)
    {
        string fields = string.Concat(commands.Select(command => $",\"{command.Name}\":\"{JsonEncodedText.Encode(command.Command)}\""));
        return ExtensionBackend.Prepare(Sample.Context(Sample.Network($"{{\"Type\":\"extension\"{fields}}}"), Sample.External(1)));
    }

    private string Script(string name, string body)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
