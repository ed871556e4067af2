using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using FlannelFast.Control.Tunnels;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>
/// Makes connections to etcd, with TLS where the endpoint says https. The files are read again for every connection, so that a certificate
/// that is replaced on disk counts from the next one on; connections that stand are left alone. Safe for concurrent use.
/// </summary>
internal sealed class EtcdTls
{
    /// <summary>For TCP and TLS together.</summary>
    internal static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly EtcdOptions _options;
    private readonly ILogger _log;
    private readonly TimeSpan _timeout;
    private readonly Lock _reload = new();
    private EtcdTlsMaterial _material;
    private string? _lastFailure;

    /// <summary>Reads the files for the first time.</summary>
    /// <param name="options">Names them.</param>
    /// <param name="log">Told of changes of the files.</param>
    /// <param name="timeout"><see cref="ConnectTimeout"/> if null.</param>
    /// <exception cref="InvalidInputException">A file cannot be used.</exception>
    internal EtcdTls(EtcdOptions options, ILogger log, TimeSpan? timeout = null)
    {
        _options = options;
        _log = log;
        _timeout = timeout ?? ConnectTimeout;
        _material = EtcdTlsMaterial.Load(options, known: null);
    }

    /// <summary>
    /// A handler whose connections are made here: no proxy, no redirects, no cookies. The caller owns it and sets what its protocol needs.
    /// </summary>
    /// <param name="protocol">The only one offered in the TLS handshake.</param>
    internal SocketsHttpHandler CreateHandler(SslApplicationProtocol protocol) => new()
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        // Ours is the sooner one, and its message names what took too long.
        ConnectTimeout = _timeout + TimeSpan.FromSeconds(1),
        ConnectCallback = async (context, cancel) =>
            await ConnectAsync(context.InitialRequestMessage.RequestUri!, protocol, cancel).ConfigureAwait(false),
    };

    /// <summary>Connects to an endpoint. The caller owns the stream.</summary>
    /// <exception cref="EtcdConnectException">It did not work within the time; the message names the endpoint.</exception>
    internal async Task<Stream> ConnectAsync(Uri endpoint, SslApplicationProtocol protocol, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(_timeout);
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        IAsyncDisposable? stream = null;
        EtcdServerCheck? check = null;
        try
        {
            await socket.ConnectAsync(new DnsEndPoint(endpoint.IdnHost, endpoint.Port), deadline.Token).ConfigureAwait(false);
            // Only now: .NET 9 cannot carry options it does not track over to the next socket, and so refuses a name, which may have several addresses.
            socket.NoDelay = true;
            // Finds a peer that is gone without a word also where HTTP/1 waits for an answer: 10 s idle, then 3 probes.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            NetworkStream plain = new(socket, ownsSocket: true);
            stream = plain;
            if (endpoint.Scheme == Uri.UriSchemeHttp) return plain;
            SslStream tls = new(plain);
            stream = tls;
            EtcdTlsMaterial material = Current();
            check = new(endpoint.IdnHost, material.Authorities);
            await tls.AuthenticateAsClientAsync(Authentication(endpoint.IdnHost, protocol, material, check), deadline.Token).ConfigureAwait(false);
            return tls;
        }
        catch (Exception e)
        {
            socket.Dispose();
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
            if (cancel.IsCancellationRequested || e is not (SocketException or IOException or AuthenticationException or OperationCanceledException)) throw;
            string reason = e is OperationCanceledException ? $"no answer within {_timeout.TotalSeconds:0.#} s" : check?.Refusal ?? e.Message;
            throw new EtcdConnectException(endpoint, $"{(stream is null ? "no connection" : "no TLS")}: {reason}", e);
        }
    }

    private static SslClientAuthenticationOptions Authentication(string host, SslApplicationProtocol protocol, EtcdTlsMaterial material, EtcdServerCheck check)
    {
        SslClientAuthenticationOptions options = new()
        {
            TargetHost = host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [protocol],
            ClientCertificateContext = material.Client,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = check.Accept,
        };
        if (material.Authorities is { } authorities)
        {
            options.CertificateChainPolicy = new()
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
        return options;
    }

    private EtcdTlsMaterial Current()
    {
        lock (_reload)
        {
            try
            {
                EtcdTlsMaterial now = EtcdTlsMaterial.Load(_options, _material);
                if (now != _material) EtcdLog.TlsReloaded(_log);
                // What it replaces is not disposed of: a handshake elsewhere may be using it.
                _material = now;
                _lastFailure = null;
            }
            catch (InvalidInputException e)
            {
                // A renewal writes one file after the other: half of a pair is an ordinary sight.
                if (e.Message != _lastFailure) EtcdLog.TlsReloadFailed(_log, e.Message);
                _lastFailure = e.Message;
            }
            return _material;
        }
    }
}
