using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>Judges the certificate of one server in one handshake, and keeps the reason where it is refused: SslStream's own is "rejected by the callback".</summary>
/// <param name="host">As the endpoint names it.</param>
/// <param name="authorities">Those of -etcd-cafile; null for the system's.</param>
internal sealed class EtcdServerCheck(string host, X509Certificate2Collection? authorities)
{
    /// <summary>Why it was refused; null if it was not, or did not come to that.</summary>
    internal string? Refusal { get; private set; }

    /// <summary>A <see cref="RemoteCertificateValidationCallback"/>.</summary>
    internal bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None || EndsAtAuthority(chain, errors)) return true;
        string subject = InvalidInputException.Quote(certificate?.Subject ?? "none");
        Refusal = errors switch
        {
            _ when certificate is null => "the server shows no certificate",
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) => $"the server's certificate {subject} is not for {host}",
            _ => $"the server's certificate {subject} is refused: {Explain(chain)}",
        };
        return false;
    }

    private static string Explain(X509Chain? chain)
    {
        var flags = X509ChainStatusFlags.NoError;
        foreach (X509ChainStatus status in chain?.ChainStatus ?? []) flags |= status.Status;
        return flags.ToString();
    }

    /// <summary>
    /// Go takes every certificate of the file as an anchor; .NET only those that sign themselves. A chain that is whole but for ending at an
    /// intermediate of the file is good: each signature below that was checked.
    /// </summary>
    private bool EndsAtAuthority(X509Chain? chain, SslPolicyErrors errors)
    {
        if (authorities is null || errors != SslPolicyErrors.RemoteCertificateChainErrors || chain is null || chain.ChainElements.Count < 2) return false;
        foreach (X509ChainStatus status in chain.ChainStatus)
        {
            if (status.Status != X509ChainStatusFlags.PartialChain) return false;
        }
        ReadOnlySpan<byte> last = chain.ChainElements[^1].Certificate.RawDataMemory.Span;
        foreach (X509Certificate2 authority in authorities)
        {
            if (last.SequenceEqual(authority.RawDataMemory.Span)) return true;
        }
        return false;
    }
}
