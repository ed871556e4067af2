using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Subnets.Etcd;

/// <summary>An authority with a server's and a client's certificate, as PEM files in a directory of the test.</summary>
internal sealed class TestCertificates : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly X509Certificate2 _authority;

    /// <param name="address">What the server's certificate is for.</param>
    /// <param name="clientName">Common name of the client: the user where etcd authenticates by certificate.</param>
    internal TestCertificates(IPAddress address, string clientName = "client")
    {
        _authority = NewAuthority("test authority");
        _directory.Write("ca.pem", _authority.ExportCertificatePem());
        WriteServer(address, DateTimeOffset.UtcNow.AddDays(1));
        WriteClient(clientName);
    }

    internal string Authority => _directory["ca.pem"];

    internal string ServerCertificate => _directory["server.pem"];

    internal string ServerKey => _directory["server-key.pem"];

    internal string ClientCertificate => _directory["client.pem"];

    internal string ClientKey => _directory["client-key.pem"];

    internal static X509Certificate2 NewAuthority(string name, X509Certificate2? parent = null)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        if (parent is null) return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(2));
        using X509Certificate2 signed = Sign(request, parent, DateTimeOffset.UtcNow.AddDays(1));
        return signed.CopyWithPrivateKey(key);
    }

    /// <summary>Signs a leaf. Returns its certificate and its key as PEM.</summary>
    internal static (string Certificate, string Key) NewLeaf(X509Certificate2 authority, string name, IPAddress? address, DateTimeOffset end)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        // etcd also dials itself (its JSON gateway) with the server's certificate.
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")], false));
        if (address is not null)
        {
            SubjectAlternativeNameBuilder names = new();
            names.AddIpAddress(address);
            request.CertificateExtensions.Add(names.Build());
        }
        using X509Certificate2 certificate = Sign(request, authority, end);
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Replaces the server's pair.</summary>
    internal void WriteServer(IPAddress address, DateTimeOffset end)
    {
        (string certificate, string key) = NewLeaf(_authority, "server", address, end);
        _directory.Write("server.pem", certificate);
        _directory.Write("server-key.pem", key);
    }

    /// <summary>Replaces the client's pair.</summary>
    internal void WriteClient(string name)
    {
        (string certificate, string key) = NewLeaf(_authority, name, null, DateTimeOffset.UtcNow.AddDays(1));
        _directory.Write("client.pem", certificate);
        _directory.Write("client-key.pem", key);
    }

    /// <summary>A further file beside them.</summary>
    internal string Write(string name, string text) => _directory.Write(name, text);

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    private static X509Certificate2 Sign(CertificateRequest request, X509Certificate2 authority, DateTimeOffset end) =>
        request.Create(authority, authority.NotBefore, end, RandomNumberGenerator.GetBytes(8));
}
