using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Tests.Subnets.Etcd;

public sealed class EtcdOptionsTests
{
    [Theory]
    [InlineData("http://127.0.0.1:4001,http://127.0.0.1:2379", "http://127.0.0.1:4001,http://127.0.0.1:2379")]
    [InlineData("https://etcd-1:2379", "https://etcd-1:2379")]
    [InlineData("10.0.0.1:2379", "http://10.0.0.1:2379")]
    [InlineData("etcd:2379", "http://etcd:2379")]
    [InlineData("http://[fd00::1]:2379/", "http://[fd00::1]:2379")]
    [InlineData("http://a:1, http://b:2", "http://a:1,http://b:2")]
    [InlineData("http://a:1,http://a:1/", "http://a:1")]
    [InlineData("HTTP://a", "http://a:80")]
    public void Endpoints_are_split_at_commas(string list, string expected)
    {
        EtcdOptions options = EtcdOptions.Create(list, "/p");
        Assert.Equal(expected, string.Join(',', options.Endpoints.Select(EtcdEndpoints.Describe)));
        Assert.Empty(options.Warnings);
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://a:1,")]
    [InlineData("ftp://a:1")]
    [InlineData("unix:///run/etcd")]
    [InlineData("http://")]
    [InlineData("http://a:0")]
    [InlineData("http://a:70000")]
    [InlineData("http://a:1?x=1")]
    [InlineData("http://a:1#x")]
    [InlineData("a b:1")]
    public void What_is_no_endpoint_is_refused(string list)
    {
        InvalidInputException refusal = Assert.Throws<InvalidInputException>(() => EtcdOptions.Create(list, "/p"));
        Assert.StartsWith("-etcd-endpoints: expected http://HOST:PORT or https://HOST:PORT", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ca", null, null, "-etcd-cafile")]
    [InlineData("ca", "cert", "key", "-etcd-certfile")]
    [InlineData(null, "cert", "key", "-etcd-certfile")]
    public void Nothing_is_spoken_in_the_clear_beside_a_flag_that_asks_for_tls(string? ca, string? certificate, string? key, string flag)
    {
        InvalidInputException refusal = Assert.Throws<InvalidInputException>(() => EtcdOptions.Create("https://a:1,http://b:2", "/p", ca, certificate, key));
        Assert.Equal($"-etcd-endpoints: expected https:// beside {flag}, not \"http://b:2\", which would be spoken to in the clear", refusal.Message);
        Assert.Equal("https", EtcdOptions.Create("b:2", "/p", ca, certificate, key).Endpoints[0].Scheme);
    }

    [Theory]
    [InlineData("cert", "", "-etcd-certfile: expected -etcd-keyfile beside it")]
    [InlineData(null, "key", "-etcd-keyfile: expected -etcd-certfile beside it")]
    public void Half_a_pair_is_refused(string? certificate, string? key, string message) =>
        Assert.Equal(message, Assert.Throws<InvalidInputException>(() => EtcdOptions.Create("https://a:1", "/p", null, certificate, key)).Message);

    [Fact]
    public void Secrets_are_not_shown()
    {
        EtcdOptions options = EtcdOptions.Create("http://a:1", "/p", userName: "flannel", password: "s3cret");
        Assert.Equal("http://a:1, prefix /p, user flannel", options.ToString());
        Assert.Equal("flannel", options.Credentials!.ToString());
        foreach (string endpoints in new[] { "http://root:s3cret@a:1", "root:s3cret@a:1", "http://s3cret@a:1", "ftp://x:s3cret@y", "http://a:s3@cret@b:1" })
        {
            InvalidInputException refusal = Assert.Throws<InvalidInputException>(() => EtcdOptions.Create(endpoints, "/p"));
            Assert.DoesNotContain("s3", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("flannel", "", "-etcd-username has no effect without -etcd-password")]
    [InlineData(null, "s3cret", "-etcd-password has no effect without -etcd-username")]
    public void Half_of_the_credentials_is_left_out_with_a_word(string? name, string? password, string warning)
    {
        EtcdOptions options = EtcdOptions.Create("http://a:1", "/p", userName: name, password: password);
        Assert.Null(options.Credentials);
        Assert.Equal([warning], options.Warnings);
    }

    // Expected values: Go's path.Join(prefix, "config") and path.Join(prefix, "subnets", "10.5.52.0-24").
    [Theory]
    [InlineData("/coreos.com/network", "/coreos.com/network/config", "/coreos.com/network/subnets/10.5.52.0-24")]
    [InlineData("/coreos.com/network/", "/coreos.com/network/config", "/coreos.com/network/subnets/10.5.52.0-24")]
    [InlineData("//kubernetes//network", "/kubernetes/network/config", "/kubernetes/network/subnets/10.5.52.0-24")]
    [InlineData("kubernetes/network", "kubernetes/network/config", "kubernetes/network/subnets/10.5.52.0-24")]
    [InlineData("/a/./b/../c", "/a/c/config", "/a/c/subnets/10.5.52.0-24")]
    [InlineData("/../a", "/a/config", "/a/subnets/10.5.52.0-24")]
    [InlineData("../a", "../a/config", "../a/subnets/10.5.52.0-24")]
    [InlineData("/", "/config", "/subnets/10.5.52.0-24")]
    [InlineData("", "config", "subnets/10.5.52.0-24")]
    [InlineData(".", "config", "subnets/10.5.52.0-24")]
    public void Keys_are_joined_as_go_joins_paths(string prefix, string config, string subnet)
    {
        EtcdOptions options = EtcdOptions.Create("http://a:1", prefix);
        Assert.Equal(config, options.ConfigKey);
        Assert.Equal(subnet, options.SubnetKey("10.5.52.0-24"));
    }
}
