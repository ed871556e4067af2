using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>The certificates read from the files of <see cref="EtcdOptions"/> at one moment. Immutable; shared by the connections made with it.</summary>
internal sealed class EtcdTlsMaterial
{
    /// <summary>Far above any bundle (the system's own has 220 kB).</summary>
    internal const int MaxFileSize = 1 << 20;

    private readonly byte[]? _ca;
    private readonly byte[]? _certificate;
    private readonly byte[]? _key;

    private EtcdTlsMaterial(byte[]? ca, byte[]? certificate, byte[]? key)
    {
        _ca = ca;
        _certificate = certificate;
        _key = key;
    }

    /// <summary>Who may sign the server's certificate; null for the system's authorities.</summary>
    internal X509Certificate2Collection? Authorities { get; private init; }

    /// <summary>Our certificate with its chain; null if there is none.</summary>
    internal SslStreamCertificateContext? Client { get; private init; }

    /// <summary>Reads the files.</summary>
    /// <param name="options">Names them.</param>
    /// <param name="known">What was read before: returned again where no byte has changed. Null at first.</param>
    /// <exception cref="InvalidInputException">A file cannot be read, or does not hold what it should.</exception>
    internal static EtcdTlsMaterial Load(EtcdOptions options, EtcdTlsMaterial? known)
    {
        byte[]? ca = Read("-etcd-cafile", options.CaFile);
        byte[]? certificate = Read("-etcd-certfile", options.CertificateFile);
        byte[]? key = Read("-etcd-keyfile", options.KeyFile);
        if (known is not null && IsSame(ca, known._ca) && IsSame(certificate, known._certificate) && IsSame(key, known._key)) return known;
        return new(ca, certificate, key)
        {
            Authorities = ca is null ? null : Certificates("-etcd-cafile", options.CaFile!, ca),
            Client = certificate is null ? null : Pair(options, certificate, key!),
        };
    }

    private static bool IsSame(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

    private static byte[]? Read(string flag, string? path)
    {
        if (path is null) return null;
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] bytes = new byte[MaxFileSize + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaxFileSize ? bytes[..length] : throw new InvalidInputException($"{flag}: expected at most 1 MiB of PEM; {path} is larger");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InvalidInputException($"{flag}: expected a readable file: {e.Message}");
        }
    }

    private static X509Certificate2Collection Certificates(string flag, string path, byte[] pem)
    {
        X509Certificate2Collection certificates = [];
        try
        {
            certificates.ImportFromPem(System.Text.Encoding.Latin1.GetString(pem));
        }
        catch (CryptographicException e)
        {
            throw new InvalidInputException($"{flag}: expected certificates in PEM form in {path}: {e.Message}");
        }
        return certificates.Count > 0 ? certificates : throw new InvalidInputException($"{flag}: expected a certificate in PEM form in {path}");
    }

    private static SslStreamCertificateContext Pair(EtcdOptions options, byte[] certificate, byte[] key)
    {
        X509Certificate2Collection chain = Certificates("-etcd-certfile", options.CertificateFile!, certificate);
        try
        {
            X509Certificate2 own = X509Certificate2.CreateFromPem(System.Text.Encoding.Latin1.GetString(certificate), System.Text.Encoding.Latin1.GetString(key));
            chain.RemoveAt(0);
            // offline: never fetches missing issuers from the addresses in the certificate.
            return SslStreamCertificateContext.Create(own, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw new InvalidInputException($"-etcd-keyfile: expected the unencrypted PEM key of {options.CertificateFile} in {options.KeyFile}: {e.Message}");
        }
    }
}
