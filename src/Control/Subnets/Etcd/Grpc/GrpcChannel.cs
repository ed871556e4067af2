using System.IO.Pipelines;
using System.Net;
using System.Net.Security;

namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>
/// gRPC to one endpoint, over one HTTP/2 connection that is made when it is needed and made again when it broke. Without TLS it speaks HTTP/2 from the
/// first byte ("prior knowledge"). Safe for concurrent use.
/// </summary>
internal sealed class GrpcChannel : IDisposable
{
    /// <summary>
    /// A connection that is silent for so long is asked for a sign of life, and given up after as long again. etcd closes connections that ask more
    /// often than every 5 s (--grpc-keepalive-min-time), or while no call is under way.
    /// </summary>
    internal static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(6);

    /// <summary>Longest value of grpc-timeout in milliseconds: eight digits.</summary>
    private const long MaxTimeout = 99_999_999;

    private static readonly StreamPipeReaderOptions s_reading = new(bufferSize: 16 << 10);

    private readonly HttpMessageInvoker _http;
    private readonly Uri _endpoint;
    private readonly TimeProvider _time;

    /// <param name="endpoint">Scheme, host and port.</param>
    /// <param name="handler">What speaks HTTP/2; owned from here on.</param>
    /// <param name="time">Deadlines.</param>
    internal GrpcChannel(Uri endpoint, HttpMessageHandler handler, TimeProvider time)
    {
        _endpoint = endpoint;
        _http = new(handler, disposeHandler: true);
        _time = time;
        Name = EtcdEndpoints.Describe(endpoint);
    }

    /// <summary>The endpoint in messages.</summary>
    internal string Name { get; }

    /// <summary>Opens a channel on connections as <see cref="EtcdTls"/> makes them.</summary>
    internal static GrpcChannel Open(Uri endpoint, EtcdTls tls, TimeProvider time)
    {
        SocketsHttpHandler handler = tls.CreateHandler(SslApplicationProtocol.Http2);
        handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
        handler.KeepAlivePingDelay = PingInterval;
        handler.KeepAlivePingTimeout = PingInterval;
        handler.PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan;
        return new(endpoint, handler, time);
    }

    /// <summary>Drops the connection and every call on it.</summary>
    public void Dispose() => _http.Dispose();

    /// <summary>One message there, one back.</summary>
    /// <param name="method">What to call.</param>
    /// <param name="request">What it takes.</param>
    /// <param name="metadata">Further header fields.</param>
    /// <param name="timeout">For all of it, connecting included; the server is told too.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="GrpcException">It did not end well.</exception>
    internal async Task<TResponse> CallAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, IEnumerable<KeyValuePair<string, string>> metadata, TimeSpan timeout, CancellationToken cancel)
        where TRequest : IProtobufMessage
        where TResponse : class, IProtobufParsable<TResponse>
    {
        using CancellationTokenSource expiry = new(timeout, _time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        try
        {
            using HttpRequestMessage message = NewRequest(method.Path, new ByteArrayContent(GrpcFrame.Encode(request)), metadata);
            long milliseconds = Math.Clamp((long)timeout.TotalMilliseconds, 1, MaxTimeout);
            message.Headers.TryAddWithoutValidation("grpc-timeout", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{milliseconds}m"));
            using HttpResponseMessage response = await _http.SendAsync(message, deadline.Token).ConfigureAwait(false);
            return await ReadSingleAsync<TResponse>(response, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (GrpcFailure.IsExpected(e, cancel))
        {
            throw GrpcFailure.Explain(e, Name, timeout);
        }
    }

    /// <summary>Opens a call that is answered by many messages. The caller disposes of it, which ends the call.</summary>
    /// <param name="method">What to call.</param>
    /// <param name="request">The one message sent.</param>
    /// <param name="metadata">Further header fields.</param>
    /// <param name="timeout">Until the answer begins.</param>
    /// <param name="cancel">Gives up, as long as the answer has not begun.</param>
    /// <exception cref="GrpcException">The call was not taken.</exception>
    internal async Task<GrpcStream<TResponse>> OpenAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, IEnumerable<KeyValuePair<string, string>> metadata, TimeSpan timeout, CancellationToken cancel)
        where TRequest : IProtobufMessage
        where TResponse : class, IProtobufParsable<TResponse>
    {
        // The token given to SendAsync rules the request body beyond the answer's beginning, so it must outlive this method.
        CancellationTokenSource life = new();
        HttpRequestMessage message = NewRequest(method.Path, new GrpcOpenContent(GrpcFrame.Encode(request)), metadata);
        HttpResponseMessage? response = null;
        try
        {
            using CancellationTokenSource expiry = new(timeout, _time);
            using (expiry.Token.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), life))
            using (cancel.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), life))
            {
                response = await _http.SendAsync(message, life.Token).ConfigureAwait(false);
            }
            // Trailers in place of headers: the call has ended already.
            if (GrpcStatus.Check(response.Headers, Name)) throw new InvalidDataException("the call ended without an answer");
            GrpcStatus.CheckAnswer(response, Name);
            Stream body = await response.Content.ReadAsStreamAsync(life.Token).ConfigureAwait(false);
            return new(Name, message, response, PipeReader.Create(body, s_reading), life);
        }
        catch (Exception e)
        {
            response?.Dispose();
            message.Dispose();
            life.Dispose();
            if (GrpcFailure.IsExpected(e, cancel)) throw GrpcFailure.Explain(e, Name, timeout);
            throw;
        }
    }

    private HttpRequestMessage NewRequest(string path, HttpContent content, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        HttpRequestMessage message = new(HttpMethod.Post, new Uri(_endpoint, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        message.Headers.TryAddWithoutValidation("te", "trailers");
        message.Headers.TryAddWithoutValidation("user-agent", "flannelfast");
        foreach ((string name, string value) in metadata) message.Headers.TryAddWithoutValidation(name, value);
        return message;
    }

    private async Task<TResponse> ReadSingleAsync<TResponse>(HttpResponseMessage response, CancellationToken cancel)
        where TResponse : class, IProtobufParsable<TResponse>
    {
        bool isOver = GrpcStatus.Check(response.Headers, Name);
        GrpcStatus.CheckAnswer(response, Name);
        PipeReader reader = PipeReader.Create(await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false), s_reading);
        try
        {
            TResponse? answer = await GrpcFrame.ReadAsync<TResponse>(reader, cancel).ConfigureAwait(false);
            // The trailers come with the end of the stream, and an error in them counts more than the message before it.
            if (answer is not null && await GrpcFrame.ReadAsync<TResponse>(reader, cancel).ConfigureAwait(false) is not null)
                throw new InvalidDataException("more than one message came back");
            if (!isOver && !GrpcStatus.Check(response.TrailingHeaders, Name)) throw new InvalidDataException("the answer ends without a status");
            return answer ?? throw new InvalidDataException("the call ended without an answer");
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
        }
    }
}
