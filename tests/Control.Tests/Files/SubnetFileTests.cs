using System.Diagnostics;
using System.Net;
using System.Text.Json;
using FlannelFast.Control.Files;
using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Files;

public sealed class SubnetFileTests : IDisposable
{
    private readonly TemporaryDirectory _files = new();

    [Fact]
    public void The_file_is_what_stock_flanneld_writes()
    {
        SubnetFile file = new(Path.Combine(_files["run"], "flannel", "subnet.env"));
        file.Write(Content("10.5.0.0/16", "10.5.72.0/24", null, null, 1472, ipMasq: false));
        Assert.Equal("FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.72.1/24\nFLANNEL_MTU=1472\nFLANNEL_IPMASQ=false\n", File.ReadAllText(file.Path));
        file.Write(Content("10.5.0.0/16", "10.5.72.128/25", "fc00::/48", "fc00:0:0:1::/64", 1450, ipMasq: true));
        Assert.Equal(
            "FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.72.129/25\nFLANNEL_IPV6_NETWORK=fc00::/48\nFLANNEL_IPV6_SUBNET=fc00:0:0:1::1/64\n" +
            "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n", File.ReadAllText(file.Path));
        file.Write(Content(null, null, "fc00::/48", "fc00:0:0:1::/64", 1450, ipMasq: true));
        Assert.Equal(
            "FLANNEL_IPV6_NETWORK=fc00::/48\nFLANNEL_IPV6_SUBNET=fc00:0:0:1::1/64\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n", File.ReadAllText(file.Path));
        Assert.Equal(AtomicFile.Shared, File.GetUnixFileMode(file.Path));
    }

    [Fact]
    public void What_was_written_is_read_back()
    {
        SubnetFile file = new(_files["subnet.env"]);
        Assert.Same(PreviousSubnets.None, file.Read());
        Assert.Null(PreviousSubnets.None.Lease);
        file.Write(Content("10.5.0.0/16", "10.5.72.0/24", "fc00::/48", "fc00:0:0:1::/64", 1450, ipMasq: true));
        PreviousSubnets previous = file.Read();
        Assert.Equal(new LeasedSubnet(IPNetwork.Parse("10.5.72.0/24"), IPNetwork.Parse("fc00:0:0:1::/64")), previous.Lease);
        Assert.Equal([IPNetwork.Parse("10.5.0.0/16")], previous.Networks);
        Assert.Equal([IPNetwork.Parse("fc00::/48")], previous.Ipv6Networks);
    }

    [Theory]
    [InlineData("FLANNEL_SUBNET=10.5.72.1/24")]
    [InlineData("FLANNEL_SUBNET=\"10.5.72.1/24\"\n")]
    [InlineData("export FLANNEL_SUBNET='10.5.72.1/24'\n")]
    [InlineData("# a comment\r\n\r\n  export\tFLANNEL_SUBNET=10.5.72.1/24   # the bridge\r\n")]
    [InlineData("\ufeffFLANNEL_SUBNET=10.5.72.1/24\n")]
    [InlineData("garbage\n=\n==\n;;;\u0000\u0001\n1A=2\nA B=3\nFLANNEL_SUBNET=10.5.72.1/24\n\"\n'")]
    [InlineData("FLANNEL_SUBNET=10.9.9.1/24\nFLANNEL_SUBNET=10.5.72.1/24\n")]
    [InlineData("FLANNEL_SUBNET=10.5.72.1/24\nFLANNEL_SUBNET=\"10.9.9.1/24\n")]
    [InlineData("FLANNEL_SUBNET=10.5.72.255/24\nFLANNEL_IPV6_SUBNET=10.5.1.1/24\nFLANNEL_NETWORK=fc00::/48")]
    public void Whatever_godotenv_takes_is_read(string text)
    {
        PreviousSubnets previous = PreviousSubnets.Parse(text);
        Assert.Equal(IPNetwork.Parse("10.5.72.0/24"), previous.Subnet);
        Assert.Null(previous.Ipv6Subnet);
        Assert.Empty(previous.Networks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("FLANNEL_SUBNET=")]
    [InlineData("FLANNEL_SUBNET")]
    [InlineData("XFLANNEL_SUBNET=10.5.72.1/24")]
    [InlineData("flannel_subnet=10.5.72.1/24")]
    [InlineData("#FLANNEL_SUBNET=10.5.72.1/24")]
    [InlineData("FLANNEL_SUBNET=10.5.72.1")]
    [InlineData("FLANNEL_SUBNET=10.5/16")]
    [InlineData("FLANNEL_SUBNET=10.5.72.1/33")]
    [InlineData("FLANNEL_SUBNET=10.5.72.1/-1")]
    [InlineData("FLANNEL_SUBNET=10.5.72.1/ 24")]
    [InlineData("FLANNEL_SUBNET=10.5.72.1/24,10.6.0.1/24")]
    [InlineData("FLANNEL_SUBNET='10.5.72.1/24")]
    [InlineData("FLANNEL_SUBNET='10.5.72.1/24'x")]
    [InlineData("FLANNEL_SUBNET=#10.5.72.1/24")]
    [InlineData("FLANNEL_SUBNET=10.5.72.1/24 trailing")]
    public void What_says_nothing_is_nothing(string text) => Assert.Null(PreviousSubnets.Parse(text).Lease);

    [Fact]
    public void Several_networks_of_stock_0_21_are_read() => Assert.Equal(
        [IPNetwork.Parse("10.5.0.0/16"), IPNetwork.Parse("10.6.0.0/16")],
        PreviousSubnets.Parse("FLANNEL_NETWORK=10.5.0.0/16,10.6.0.0/16").Networks);

    [Fact]
    public void Quotes_and_backslashes_mean_what_they_mean_to_a_shell()
    {
        Dictionary<string, string> variables = EnvironmentFile.Parse("A=\"a\\\"b\\$c\\`d\\\\e\\f\" # x\nB='a\\b'\nC=a#b\nD=\"\"\nE= \"x y\"\n");
        Assert.Equal(new() { ["A"] = "a\"b$c`d\\e\\f", ["B"] = "a\\b", ["C"] = "a#b", ["D"] = "", ["E"] = "x y" }, variables);
    }

    [Fact]
    public void Temporary_files_of_a_killed_daemon_go_at_the_next_start()
    {
        _files.Write(".subnet.env.0123abcd.tmp", "half");
        new SubnetFile(_files["subnet.env"]).Read();
        Assert.Empty(Directory.GetFileSystemEntries(_files["."]));
    }

    /// <summary>A reader that never stops, and a writer that is killed at any moment: old or new, whole, always there.</summary>
    [Fact]
    public void A_writer_that_is_killed_leaves_the_old_file_or_the_new_one()
    {
        string path = _files["subnet.env"];
        string[] contents = [.. Enumerable.Range(0, 2).Select(i => Content("10.5.0.0/16", $"10.5.{i}.0/24", null, null, 1472, ipMasq: true).Text)];
        File.WriteAllText(path, contents[0]);
        int kills = 0, reads = 0;
        var limit = Stopwatch.StartNew();
        while (limit.Elapsed < TimeSpan.FromSeconds(8))
        {
            // This very test program, as a process that writes for ever.
            using Process writer = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [.. DllIfAny(), "-noLogo", "-explicit", "only", "-method", $"*.{nameof(Writes_for_ever)}"])
            {
                Environment = { ["FF_SUBNET_FILE"] = path },
                RedirectStandardOutput = true,
            })!;
            try
            {
                string started = path + ".started";
                while (!File.Exists(started) && !writer.HasExited && limit.Elapsed < TimeSpan.FromSeconds(20)) Thread.Sleep(1);
                Assert.True(File.Exists(started), "the writer did not start");
                long until = Stopwatch.GetTimestamp() + Random.Shared.Next((int)(Stopwatch.Frequency / 10));
                while (Stopwatch.GetTimestamp() < until)
                {
                    Assert.Contains(File.ReadAllText(path), contents);
                    reads++;
                }
                File.Delete(started);
            }
            finally
            {
                writer.Kill();
                writer.WaitForExit();
            }
            Assert.Contains(File.ReadAllText(path), contents);
            new SubnetFile(path).Read();
            Assert.Equal([path], Directory.GetFiles(_files["."]).Select(Path.GetFullPath));
            kills++;
        }
        Assert.True(kills >= 3 && reads > 100, $"{kills} kills, {reads} reads");
    }

    /// <summary>The other half of the test above; alone it does nothing.</summary>
    [Fact(Explicit = true)]
    public void Writes_for_ever()
    {
        if (Environment.GetEnvironmentVariable("FF_SUBNET_FILE") is not { } path) return;
        SubnetFile file = new(path);
        File.WriteAllText(path + ".started", "");
        for (int i = 0; ; i ^= 1) file.Write(Content("10.5.0.0/16", $"10.5.{i}.0/24", null, null, 1472, ipMasq: true));
    }

    public void Dispose() => _files.Dispose();

    private static string[] DllIfAny() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(SubnetFileTests).Assembly.Location] : [];

    private static SubnetFileContent Content(string? network, string? subnet, string? network6, string? subnet6, int mtu, bool ipMasq) => new(
        new NetworkConfig { Ipv4 = Family(network), Ipv6 = Family(network6), EnableNFTables = false, Backend = new("udp", default(JsonElement)) },
        new(subnet is null ? null : IPNetwork.Parse(subnet), subnet6 is null ? null : IPNetwork.Parse(subnet6)), mtu, ipMasq);

    private static FamilyConfig? Family(string? network) =>
        network is null ? null : new(IPNetwork.Parse(network), 24, IPAddress.Any, IPAddress.Any);
}
