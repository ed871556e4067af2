using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Tunnels;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Subnets.Etcd;

/// <summary>Connections to servers whose certificates are good, bad and worse.</summary>
public sealed class EtcdTlsTests : IDisposable
{
    private readonly TestCertificates _certificates = new(IPAddress.Loopback);
    private readonly TemporaryDirectory _directory = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationToken _cancel = TestContext.Current.CancellationToken;

    public EtcdTlsTests() => _listener.Start();

    public void Dispose()
    {
        _listener.Dispose();
        _directory.Dispose();
        _certificates.Dispose();
    }

    [Fact]
    public async Task An_authority_alone_is_enough()
    {
        EtcdTls tls = new(Options(withClient: false), NullLogger.Instance);
        Assert.Null(await HandshakeAsync(tls, Load(_certificates.ServerCertificate, _certificates.ServerKey)));
    }

    [Fact]
    public async Task The_clients_certificate_goes_with_its_chain()
    {
        using X509Certificate2 root = TestCertificates.NewAuthority("root"), middle = TestCertificates.NewAuthority("middle", root);
        (string leaf, string key) = TestCertificates.NewLeaf(middle, "node", null, DateTimeOffset.UtcNow.AddHours(1));
        EtcdOptions options = EtcdOptions.Create(
            Url(), "/p", _certificates.Authority, _directory.Write("chain.pem", leaf + "\n" + middle.ExportCertificatePem()), _directory.Write("key.pem", key));
        string[] seen = (await HandshakeAsync(new(options, NullLogger.Instance), Load(_certificates.ServerCertificate, _certificates.ServerKey)))!;
        Assert.Equal(["CN=node", "CN=middle"], seen);
    }

    [Fact]
    public async Task A_server_of_another_authority_is_refused()
    {
        using X509Certificate2 other = TestCertificates.NewAuthority("test authority");
        (string leaf, string key) = TestCertificates.NewLeaf(other, "server", IPAddress.Loopback, DateTimeOffset.UtcNow.AddHours(1));
        await RefusedAsync(X509Certificate2.CreateFromPem(leaf, key), "NotSignatureValid");
    }

    [Fact]
    public async Task A_server_with_another_name_is_refused()
    {
        _certificates.WriteServer(IPAddress.Parse("192.0.2.1"), DateTimeOffset.UtcNow.AddHours(1));
        await RefusedAsync(Load(_certificates.ServerCertificate, _certificates.ServerKey), "\"CN=server\" is not for 127.0.0.1");
    }

    [Fact]
    public async Task A_server_whose_certificate_ran_out_is_refused()
    {
        _certificates.WriteServer(IPAddress.Loopback, DateTimeOffset.UtcNow.AddHours(-1));
        await RefusedAsync(Load(_certificates.ServerCertificate, _certificates.ServerKey), "NotTimeValid");
    }

    [Fact]
    public async Task An_intermediate_in_the_authority_file_is_an_anchor()
    {
        using X509Certificate2 root = TestCertificates.NewAuthority("root"), middle = TestCertificates.NewAuthority("middle", root);
        (string leaf, string key) = TestCertificates.NewLeaf(middle, "server", IPAddress.Loopback, DateTimeOffset.UtcNow.AddHours(1));
        EtcdOptions options = EtcdOptions.Create(Url(), "/p", _directory.Write("middle.pem", middle.ExportCertificatePem()));
        Assert.Null(await HandshakeAsync(new(options, NullLogger.Instance), X509Certificate2.CreateFromPem(leaf, key)));
    }

    [Fact]
    public async Task A_forged_signature_of_that_intermediate_is_refused()
    {
        // Same name, same key identifier, another key: only the signature tells them apart.
        using X509Certificate2 root = TestCertificates.NewAuthority("root"), middle = TestCertificates.NewAuthority("middle", root), forged = TestCertificates.NewAuthority("middle", root);
        (string leaf, string key) = TestCertificates.NewLeaf(forged, "server", IPAddress.Loopback, DateTimeOffset.UtcNow.AddHours(1));
        EtcdOptions options = EtcdOptions.Create(Url(), "/p", _directory.Write("middle.pem", middle.ExportCertificatePem()));
        await Assert.ThrowsAsync<EtcdConnectException>(() => HandshakeAsync(new(options, NullLogger.Instance), X509Certificate2.CreateFromPem(leaf, key)));
    }

    [Fact]
    public async Task Files_that_change_count_from_the_next_connection_on()
    {
        EtcdTls tls = new(Options(withClient: true), NullLogger.Instance);
        X509Certificate2 server = Load(_certificates.ServerCertificate, _certificates.ServerKey);
        Assert.Equal(["CN=client"], (await HandshakeAsync(tls, server))!);
        _certificates.WriteClient("renewed");
        Assert.Equal(["CN=renewed"], (await HandshakeAsync(tls, server))!);
        // In the middle of a renewal: the new key is not there yet.
        string before = File.ReadAllText(_certificates.ClientKey);
        _certificates.WriteClient("half");
        string after = File.ReadAllText(_certificates.ClientKey);
        File.WriteAllText(_certificates.ClientKey, before);
        Assert.Equal(["CN=renewed"], (await HandshakeAsync(tls, server))!);
        File.WriteAllText(_certificates.ClientKey, after);
        Assert.Equal(["CN=half"], (await HandshakeAsync(tls, server))!);
        File.Delete(_certificates.Authority);
        Assert.Equal(["CN=half"], (await HandshakeAsync(tls, server))!);
    }

    [Fact]
    public async Task A_new_authority_takes_the_place_of_the_old_one()
    {
        EtcdTls tls = new(Options(withClient: false), NullLogger.Instance);
        using X509Certificate2 next = TestCertificates.NewAuthority("next");
        (string leaf, string key) = TestCertificates.NewLeaf(next, "server", IPAddress.Loopback, DateTimeOffset.UtcNow.AddHours(1));
        X509Certificate2 rotated = X509Certificate2.CreateFromPem(leaf, key);
        await Assert.ThrowsAsync<EtcdConnectException>(() => HandshakeAsync(tls, rotated));
        File.WriteAllText(_certificates.Authority, next.ExportCertificatePem());
        Assert.Null(await HandshakeAsync(tls, rotated));
    }

    [Fact]
    public async Task A_handshake_that_never_ends_is_given_up()
    {
        EtcdTls tls = new(Options(withClient: false), NullLogger.Instance, TimeSpan.FromMilliseconds(300));
        EtcdConnectException refusal = await Assert.ThrowsAsync<EtcdConnectException>(() => tls.ConnectAsync(new(Url()), SslApplicationProtocol.Http2, _cancel));
        Assert.Equal($"{Url()}: no TLS: no answer within 0.3 s", refusal.Message);
    }

    [Fact]
    public async Task Cancelling_is_no_failure_of_the_endpoint()
    {
        EtcdTls tls = new(Options(withClient: false), NullLogger.Instance);
        using CancellationTokenSource cancel = new(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tls.ConnectAsync(new(Url()), SslApplicationProtocol.Http2, cancel.Token));
    }

    [Fact]
    public async Task A_server_that_speaks_no_tls_is_refused()
    {
        EtcdTls tls = new(Options(withClient: false), NullLogger.Instance);
        Task<Stream> connect = tls.ConnectAsync(new(Url()), SslApplicationProtocol.Http2, _cancel);
        using Socket peer = await _listener.AcceptSocketAsync(_cancel);
        await peer.SendAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), _cancel);
        EtcdConnectException refusal = await Assert.ThrowsAsync<EtcdConnectException>(() => connect);
        Assert.StartsWith($"{Url()}: no TLS: ", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_there_is_said_so()
    {
        int port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _listener.Stop();
        EtcdTls tls = new(EtcdOptions.Create($"http://127.0.0.1:{port}", "/p"), NullLogger.Instance);
        EtcdConnectException refusal = await Assert.ThrowsAsync<EtcdConnectException>(() => tls.ConnectAsync(new($"http://127.0.0.1:{port}"), SslApplicationProtocol.Http2, _cancel));
        Assert.StartsWith($"http://127.0.0.1:{port}: no connection: Connection refused", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_is_tried_at_each_of_its_addresses()
    {
        // "localhost" is ::1 too on most hosts, where nobody listens.
        EtcdTls tls = new(EtcdOptions.Create("localhost:1", "/p"), NullLogger.Instance);
        Uri endpoint = new($"http://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        await using Stream stream = await tls.ConnectAsync(endpoint, SslApplicationProtocol.Http2, _cancel);
        using Socket peer = await _listener.AcceptSocketAsync(_cancel);
        Assert.True(peer.Connected);
    }

    [Fact]
    public void Files_that_cannot_be_used_are_named()
    {
        string rubbish = _directory.Write("rubbish.pem", "no PEM at all"), large = _directory.Write("large.pem", new string('x', EtcdTlsMaterial.MaxFileSize + 1));
        (string leaf, _) = TestCertificates.NewLeaf(TestCertificates.NewAuthority("x"), "x", null, DateTimeOffset.UtcNow.AddHours(1));
        string other = _directory.Write("other.pem", leaf);
        (string? Ca, string? Certificate, string? Key, string Message)[] cases =
        [
            ("/no/such/file", null, null, "-etcd-cafile: expected a readable file: "),
            ("/", null, null, "-etcd-cafile: expected a readable file: "),
            (rubbish, null, null, $"-etcd-cafile: expected a certificate in PEM form in {rubbish}"),
            (large, null, null, $"-etcd-cafile: expected at most 1 MiB of PEM; {large} is larger"),
            (null, rubbish, _certificates.ClientKey, $"-etcd-certfile: expected a certificate in PEM form in {rubbish}"),
            (null, _certificates.ClientCertificate, rubbish, $"-etcd-keyfile: expected the unencrypted PEM key of {_certificates.ClientCertificate} in {rubbish}: "),
            (null, other, _certificates.ClientKey, $"-etcd-keyfile: expected the unencrypted PEM key of {other} in {_certificates.ClientKey}: "),
        ];
        foreach ((string? ca, string? certificate, string? key, string message) in cases)
        {
            InvalidInputException refusal = Assert.Throws<InvalidInputException>(() => new EtcdTls(EtcdOptions.Create("https://a:1", "/p", ca, certificate, key), NullLogger.Instance));
            Assert.StartsWith(message, refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refusal.Message);
        }
    }

    [Theory]
    [InlineData("PKCS#1")]
    [InlineData("PKCS#8")]
    public async Task Keys_of_both_forms_are_read(string form)
    {
        using RSA rsa = RSA.Create(2048);
        CertificateRequest request = new("CN=rsa", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string pem = form == "PKCS#1" ? rsa.ExportRSAPrivateKeyPem() : rsa.ExportPkcs8PrivateKeyPem();
        // As "openssl -text" writes them: with prose before the block.
        EtcdOptions options = EtcdOptions.Create(
            Url(), "/p", _certificates.Authority, _directory.Write("c.pem", "Certificate:\n  Data:\n" + certificate.ExportCertificatePem()), _directory.Write("k.pem", pem));
        Assert.Equal(["CN=rsa"], (await HandshakeAsync(new(options, NullLogger.Instance), Load(_certificates.ServerCertificate, _certificates.ServerKey)))!);
    }

    private static X509Certificate2 Load(string certificate, string key) => X509Certificate2.CreateFromPemFile(certificate, key);

    private string Url() => $"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    private EtcdOptions Options(bool withClient) => withClient
        ? EtcdOptions.Create(Url(), "/p", _certificates.Authority, _certificates.ClientCertificate, _certificates.ClientKey)
        : EtcdOptions.Create(Url(), "/p", _certificates.Authority);

    private async Task RefusedAsync(X509Certificate2 server, params string[] oneOf)
    {
        EtcdConnectException refusal = await Assert.ThrowsAsync<EtcdConnectException>(() => HandshakeAsync(new(Options(withClient: false), NullLogger.Instance), server));
        Assert.StartsWith($"{Url()}: no TLS: ", refusal.Message, StringComparison.Ordinal);
        Assert.True(Array.Exists(oneOf, reason => refusal.Message.Contains(reason, StringComparison.Ordinal)), refusal.Message);
    }

    /// <summary>Connects to a server that has this certificate. Returns the subjects of the chain the client sent, null if it sent none.</summary>
    private async Task<string[]?> HandshakeAsync(EtcdTls tls, X509Certificate2 certificate)
    {
        Task<Stream> connect = tls.ConnectAsync(new(Url()), SslApplicationProtocol.Http2, _cancel);
        using Socket peer = await _listener.AcceptSocketAsync(_cancel);
        await using SslStream server = new(new NetworkStream(peer));
        string[]? chain = null;
        Task serve = server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, [], offline: true),
            ClientCertificateRequired = true,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            RemoteCertificateValidationCallback = (_, client, sent, _) =>
            {
                if (client is not null) chain = [client.Subject, .. sent!.ChainPolicy.ExtraStore.Select(item => item.Subject).Where(subject => subject != client.Subject)];
                return true;
            },
        }, _cancel);
        try
        {
            await using Stream client = await connect;
            await serve;
            Assert.True(((SslStream)client).SslProtocol >= SslProtocols.Tls12);
            return chain;
        }
        finally
        {
            // Whatever became of it on the other side: nobody is left to ask.
            await serve.ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }
}
