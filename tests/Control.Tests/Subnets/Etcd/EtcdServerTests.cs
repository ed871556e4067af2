namespace FlannelFast.Control.Tests.Subnets.Etcd;

/// <summary>The fixture does what the other tests rely on.</summary>
public sealed class EtcdServerTests
{
    [Fact]
    public void Data_survives_kill_and_the_process_does_not_survive_the_test()
    {
        using EtcdServer server = EtcdServer.Start();
        server.Ctl("put", "key", "value");
        int first = server.ProcessId;
        server.Kill();
        Assert.False(Directory.Exists($"/proc/{first}"));
        server.Launch();
        server.WaitUntilReady();
        Assert.Equal("key\nvalue\n", server.Ctl("get", "key"));
        int second = server.ProcessId;
        server.Dispose();
        Assert.False(Directory.Exists($"/proc/{second}"));
    }

    [Fact]
    public void Three_members_have_one_leader()
    {
        using EtcdCluster cluster = EtcdCluster.Start();
        cluster.Members[0].Ctl("put", "key", "value");
        Assert.Equal("key\nvalue\n", cluster.Members[2].Ctl("get", "key"));
        Assert.Contains(cluster.Leader(), cluster.Members);
    }

    [Fact]
    public void Tls_with_client_certificates_and_the_v2_api()
    {
        System.Net.IPAddress address = EtcdServer.NewAddress();
        using TestCertificates certificates = new(address);
        using EtcdServer server = EtcdServer.Start(new() { Address = address, Tls = certificates, EnableV2 = true });
        server.Ctl("put", "key", "three");
        server.CtlV2("set", "/key", "two");
        Assert.Equal("two\n", server.CtlV2("get", "/key"));
        Assert.Equal("key\nthree\n", server.Ctl("get", "key"));
    }
}
