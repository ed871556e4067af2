using System.Text.RegularExpressions;
using FlannelFast.Control.Subnets.Directories;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Daemon.Tests.Commands;

/// <summary>leases, network and reserve, on a store in a directory.</summary>
public sealed class StoreCommandTests : IDisposable
{
    private const string Vxlan = """{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}""";

    private readonly CommandLineRig _rig = new();

    private string Store => _rig.Files["store"];

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task A_config_is_checked_written_shown_and_not_overwritten_by_mistake()
    {
        await FailsAsync(1, $"there is no network config in directory {Store}", "network", "show");
        await FailsAsync(2, "CONFIG: SubnetLen must be less than /31", "network", "set", """{"Network":"10.5.0.0/16","SubnetLen":31}""");
        Assert.False(Directory.Exists(Store));
        Assert.Equal($"written to directory {Store}\n", await SucceedsAsync("network", "set", Vxlan));
        Assert.Equal(Vxlan, File.ReadAllText(Path.Combine(Store, "config")));
        Assert.Equal("nothing to change\n", await SucceedsAsync("network", "set", Vxlan));
        await FailsAsync(1, $"directory {Store} has another network config; --force replaces it: {Vxlan}", "network", "set", """{"Network":"10.6.0.0/16"}""");
        Assert.Equal(Vxlan, File.ReadAllText(Path.Combine(Store, "config")));
        await SucceedsAsync("network", "set", "--force", """{"Network":"10.6.0.0/16"}""");
        Assert.Equal(
            $"network   10.6.0.0/16\nsubnets   of length 24, from 10.6.1.0 to 10.6.255.0\nbackend   udp\nfirewall  iptables\nstored    {{\"Network\":\"10.6.0.0/16\"}}\nin directory {Store}\n",
            await SucceedsAsync("network", "show"));
    }

    [Fact]
    public async Task A_config_comes_from_a_file_or_standard_input_too()
    {
        string file = _rig.Files.Write("net-conf.json", $"\uFEFF{Vxlan}\n");
        await SucceedsAsync("network", "set", "--file", file);
        Assert.Equal(Vxlan, File.ReadAllText(Path.Combine(Store, "config")));
        _rig.Input = "{\n  \"Network\": \"10.7.0.0/16\"\n}\n";
        await SucceedsAsync("network", "set", "--file", "-", "--force");
        Assert.Equal(_rig.Input.Trim(), File.ReadAllText(Path.Combine(Store, "config")));

        await FailsAsync(2, "expected either CONFIG or --file; see \"flannelfast network set --help\"", "network", "set");
        await FailsAsync(2, "expected either CONFIG or --file; see \"flannelfast network set --help\"", "network", "set", Vxlan, "--file", file);
        await FailsAsync(2, "--file: expected a readable file: ", "network", "set", "--file", _rig.Files["none"]);
        _rig.Input = new(' ', 70_000);
        await FailsAsync(2, "--file: expected at most 64 KiB; - is larger", "network", "set", "--file", "-");
    }

    [Fact]
    public async Task A_config_that_cannot_be_used_is_shown_as_it_is()
    {
        Directory.CreateDirectory(Store, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(Path.Combine(Store, "config"), "{\"Network\":\n5}\e[2J");
        await FailsAsync(1, "cannot be used: ", "network", "show");
        (_, _, string error) = await _rig.RunAsync("network", "show", "--store-dir", Store);
        Assert.Contains("{\"Network\":\\u000a5}\\u001b[2J", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_network_report_is_frozen()
    {
        await SucceedsAsync("network", "set", """{"Network":"10.5.0.0/16","SubnetLen":25,"EnableIPv6":true,"IPv6Network":"fc00::/48","EnableNFTables":true,"Backend":{"Type":"VXLAN","VNI":7}}""");
        Golden.Check("Daemon.Tests", "network-show", Masked(await SucceedsAsync("network", "show")));
        Golden.Check("Daemon.Tests", "network-show-json", Masked(await SucceedsAsync("network", "show", "--json")));
    }

    [Fact]
    public async Task A_subnet_is_reserved_once_and_only_where_it_is_free_and_fits()
    {
        Assert.Equal("10.5.7.0/24 is reserved for 192.0.2.7\n", await SucceedsAsync("reserve", "10.5.7.0/24", "--public-ip", "192.0.2.7"));
        Assert.EndsWith("\n\n{\"PublicIP\":\"192.0.2.7\",\"PublicIPv6\":null}", File.ReadAllText(Path.Combine(Store, "subnets", "10.5.7.0-24")), StringComparison.Ordinal);
        Assert.Equal("10.5.7.0/24 is reserved for 192.0.2.7 already\n", await SucceedsAsync("reserve", "10.5.7.0/24", "--public-ip", "192.0.2.7"));
        await FailsAsync(1, "10.5.7.0/24 is reserved for 192.0.2.7", "reserve", "10.5.7.0/24", "--public-ip", "192.0.2.8");
        await FailsAsync(1, "192.0.2.7 has 10.5.7.0/24 already; \"reserve --remove\" that first", "reserve", "10.5.8.0/24", "--public-ip", "192.0.2.7");
        await FailsAsync(1, "10.5.6.0/23 overlaps 10.5.7.0/24 of 192.0.2.7", "reserve", "10.5.6.0/23", "--public-ip", "192.0.2.8");

        await SucceedsAsync("network", "set", Vxlan);
        await FailsAsync(1, "10.5.8.0/25 is none of the subnets that the network config has: of length 24 from 10.5.1.0 to 10.5.255.0", "reserve", "10.5.8.0/25", "--public-ip", "192.0.2.8");
        await FailsAsync(1, "10.5.0.0/24 is none of the subnets", "reserve", "10.5.0.0/24", "--public-ip", "192.0.2.8");
        await FailsAsync(1, "10.6.1.0/24 is none of the subnets", "reserve", "10.6.1.0/24", "--public-ip", "192.0.2.8");
        await SucceedsAsync("reserve", "10.5.8.0/24", "--public-ip", "192.0.2.8");

        Assert.Equal("10.5.7.0/24 of 192.0.2.7 is free\n", await SucceedsAsync("reserve", "10.5.7.0/24", "--remove"));
        await FailsAsync(1, "10.5.7.0/24 is not reserved", "reserve", "10.5.7.0/24", "--remove");
    }

    [Fact]
    public async Task A_lease_of_the_same_host_becomes_a_reservation_with_all_it_publishes()
    {
        WriteLease("10.5.9.0-24", """{"PublicIP":"192.0.2.9","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VtepMAC":"c6:d2:32:6f:8f:44"}}""");
        await FailsAsync(1, "10.5.9.0/24 is leased by 192.0.2.9", "reserve", "10.5.9.0/24", "--public-ip", "192.0.2.1");
        await FailsAsync(1, "10.5.9.0/24 is not reserved but leased by 192.0.2.9; --force removes it all the same", "reserve", "10.5.9.0/24", "--remove");
        Assert.Equal("10.5.9.0/24, leased by 192.0.2.9, is reserved for it now\n", await SucceedsAsync("reserve", "10.5.9.0/24", "--public-ip", "192.0.2.9"));
        string stored = File.ReadAllText(Path.Combine(Store, "subnets", "10.5.9.0-24"));
        Assert.Contains("c6:d2:32:6f:8f:44", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("ttl", stored, StringComparison.Ordinal);
        Assert.Equal("10.5.9.0/24 of 192.0.2.9 is free\n", await SucceedsAsync("reserve", "10.5.9.0/24", "--remove"));
    }

    [Theory]
    [InlineData("SUBNET: expected a network address and its length", "10.5.7.1/24", "--public-ip", "192.0.2.7")]
    [InlineData("SUBNET: expected a network address and its length", "10.5.7.0", "--public-ip", "192.0.2.7")]
    [InlineData("SUBNET: expected a network address and its length", "10.5.7.0/24,10.5.8.0/24", "--public-ip", "192.0.2.7")]
    [InlineData("SUBNET: expected a network address and its length", "fc00::/64,10.5.8.0/24", "--public-ip", "192.0.2.7")]
    [InlineData("--public-ip: expected an IPv4 address, not \"fc00::1\"", "10.5.7.0/24", "--public-ip", "fc00::1")]
    [InlineData("--public-ipv6: expected an IPv6 address, not \"192.0.2.7\"", "10.5.7.0/24", "--public-ipv6", "192.0.2.7")]
    [InlineData("expected either --public-ip (or --public-ipv6) or --remove", "10.5.7.0/24")]
    [InlineData("expected either --public-ip (or --public-ipv6) or --remove", "10.5.7.0/24", "--remove", "--public-ip", "192.0.2.7")]
    [InlineData("--force: expected --remove beside it", "10.5.7.0/24", "--force", "--public-ip", "192.0.2.7")]
    [InlineData("--etcd-api: expected auto, v3 or v2, not \"v4\"", "10.5.7.0/24", "--remove", "--etcd-api", "v4")]
    [InlineData("-etcd-certfile: expected -etcd-keyfile beside it", "10.5.7.0/24", "--remove", "--etcd-certfile", "x.pem")]
    [InlineData("expected SUBNET; see \"flannelfast reserve --help\"")]
    public async Task What_is_wrong_is_named_and_nothing_is_written(string message, params string[] args)
    {
        await FailsAsync(2, message, ["reserve", .. args]);
        Assert.False(Directory.Exists(Store));
    }

    [Fact]
    public async Task Leases_are_listed_with_what_is_none_of_them()
    {
        Assert.Equal($"subnet  public ip  backend  ends in  data\n0 leases in directory {Store}\n", await SucceedsAsync("leases"));
        await SucceedsAsync("network", "set", """{"Network":"10.5.0.0/16","EnableIPv6":true,"IPv6Network":"fc00::/48","Backend":{"Type":"vxlan"}}""");
        await SucceedsAsync("reserve", "10.5.10.0/24,fc00:0:0:a::/64", "--public-ip", "192.0.2.10", "--public-ipv6", "2001:db8::a");
        WriteLease("10.5.9.0-24", """{"PublicIP":"192.0.2.9","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}""");
        WriteLease("10.5.2.0-24", """{"PublicIP":"192.0.2.2","BackendType":"\u001b[2J"}""");
        File.WriteAllText(Path.Combine(Store, "subnets", "10.5.3.0-24"), "not JSON");
        File.WriteAllText(Path.Combine(Store, "subnets", "garbage"), "{}");
        WriteLease("10.6.1.0-24", """{"PublicIP":"192.0.2.61"}""");
        Golden.Check("Daemon.Tests", "leases", Masked(await SucceedsAsync("leases")));
        Golden.Check("Daemon.Tests", "leases-json", Masked(await SucceedsAsync("leases", "--json")));
    }

    [Fact]
    public async Task The_daemons_environment_counts_too_and_a_flag_before_it()
    {
        _rig.Variables["FLANNELD_STORE_DIR"] = Store;
        (int exitCode, string output, string error) = await _rig.RunAsync("leases");
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains($"0 leases in directory {Store}", output, StringComparison.Ordinal);
        Assert.Contains("0 leases in directory /nonexistent", (await _rig.RunAsync("leases", "--store-dir", "/nonexistent")).Out, StringComparison.Ordinal);
        _rig.Variables["FLANNELD_STORE_DIR"] = "";
        _rig.Variables["FLANNELD_ETCD_ENDPOINTS"] = "ftp://192.0.2.1";
        await FailsAsync(2, "-etcd-endpoints: expected http://HOST:PORT", ["leases"], withStore: false);
    }

    [Fact]
    public async Task A_store_that_does_not_answer_is_one_line_without_the_password()
    {
        string file = _rig.Files.Write("file", "");
        (int exitCode, string output, string error) = await _rig.RunAsync("leases", "--store-dir", file);
        Assert.Equal((1, ""), (exitCode, output));
        Assert.Equal($"flannelfast: directory {file}: {file} is a symbolic link or a file; expected a directory: Not a directory (errno 20)\n", error);

        (exitCode, output, error) = await _rig.RunAsync(
            "leases", "--etcd-endpoints", "http://127.0.0.1:1", "--etcd-api", "v2", "--etcd-username", "root", "--etcd-password", "s3cret");
        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith("flannelfast: etcd v2: http://127.0.0.1:1: no connection", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
        Assert.DoesNotContain("s3cret", error + string.Concat(_rig.Log.Lines), StringComparison.Ordinal);
    }

    private async Task<string> SucceedsAsync(params string[] args)
    {
        (int exitCode, string output, string error) = await _rig.RunAsync([.. args, "--store-dir", Store]);
        Assert.Equal((0, ""), (exitCode, error));
        return output;
    }

    private Task FailsAsync(int exitCode, string message, params string[] args) => FailsAsync(exitCode, message, args, withStore: true);

    private async Task FailsAsync(int exitCode, string message, string[] args, bool withStore)
    {
        (int actual, string output, string error) = await _rig.RunAsync(withStore ? [.. args, "--store-dir", Store] : args);
        Assert.Equal((exitCode, ""), (actual, output));
        Assert.StartsWith("flannelfast: ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    /// <summary>A lease of a running host: one day from now.</summary>
    private void WriteLease(string key, string value)
    {
        Directory.CreateDirectory(Path.Combine(Store, "subnets"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.SetUnixFileMode(Store, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        StoreClock clock = new(TimeProvider.System, StoreClock.ReadId());
        LeaseFile lease = new(CreateRevision: 900, ModRevision: 901, clock.Begin(TimeSpan.FromDays(1)), System.Text.Encoding.UTF8.GetBytes(value));
        File.WriteAllBytes(Path.Combine(Store, "subnets", key), lease.ToBytes());
    }

    /// <summary>Without what differs from run to run.</summary>
    private string Masked(string output) =>
        Regex.Replace(Regex.Replace(output.Replace(Store, "/store", StringComparison.Ordinal), "23 h 59 min|1 d 0 h", "23 h 59 min"), "\"expires_in_seconds\": [0-9.]+", "\"expires_in_seconds\": 86399.5");
}
