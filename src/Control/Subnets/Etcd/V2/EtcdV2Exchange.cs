using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Text;
using System.Text.Json;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Subnets.Etcd.V2;

/// <summary>
/// One request of the keys API and its answer, from an endpoint nothing is taken on trust of: it may be a proxy, a login page, or something that never
/// ends. Throws <see cref="EtcdV2Exception"/>. Safe for concurrent use.
/// </summary>
internal sealed class EtcdV2Exchange : IDisposable
{
    /// <summary>A listing of 5,000 leases has 2 MB; etcd takes values of up to 1.5 MB.</summary>
    internal const long MaxAnswerSize = 32 << 20;

    private const int MaxRedirects = 3;

    private readonly EtcdOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _http;
    private readonly AuthenticationHeaderValue? _authorization;

    internal EtcdV2Exchange(EtcdOptions options, EtcdTls tls, TimeProvider time)
    {
        _options = options;
        _time = time;
        _http = new(tls.CreateHandler(SslApplicationProtocol.Http11));
        if (options.Credentials is { } user)
            _authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user.UserName}:{user.Password}")));
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Sends a request and reads the answer.</summary>
    /// <param name="endpoint">Where to.</param>
    /// <param name="request">What.</param>
    /// <param name="limit">For everything up to the last byte; of a long poll, up to its head.</param>
    /// <param name="patience">Of a long poll, how long to wait for an event; else null.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task<EtcdV2Answer> SendAsync(Uri endpoint, EtcdV2Request request, TimeSpan limit, TimeSpan? patience, CancellationToken cancel)
    {
        using CancellationTokenSource time = new(limit, _time), linked = CancellationTokenSource.CreateLinkedTokenSource(cancel, time.Token);
        try
        {
            using HttpResponseMessage response = await SendAsync(endpoint, request, linked.Token).ConfigureAwait(false);
            long index = Index(endpoint, response);
            await using LimitedStream body = new(await response.Content.ReadAsStreamAsync(linked.Token).ConfigureAwait(false), MaxAnswerSize);
            if (patience is not { } wait || !response.IsSuccessStatusCode) return new(endpoint, index, await ReadAsync(endpoint, response, body, linked.Token).ConfigureAwait(false));

            // Nothing, or an end without a byte (etcd and proxies end idle polls): no event happened since the index of the head.
            if (!await HasEventAsync(body, wait, cancel).ConfigureAwait(false)) return new(endpoint, index, null);
            using CancellationTokenSource rest = new(limit, _time), whole = CancellationTokenSource.CreateLinkedTokenSource(cancel, rest.Token);
            return new(endpoint, index, await ReadAsync(endpoint, response, body, whole.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new EtcdV2Exception(endpoint, $"no whole answer within {limit.TotalSeconds:0.#} s", wasSent: true);
        }
        catch (HttpRequestException e)
        {
            throw e.InnerException is EtcdConnectException connect
                ? new EtcdV2Exception(endpoint, connect.Reason, wasSent: false, e)
                : new EtcdV2Exception(endpoint, $"no answer: {e.InnerException?.Message ?? e.Message}", wasSent: e.HttpRequestError != HttpRequestError.ConnectionError, e);
        }
        catch (JsonException e)
        {
            throw new EtcdV2Exception(endpoint, $"its answer is not of etcd's keys API: no valid JSON at byte {e.BytePositionInLine} of line {e.LineNumber + 1}", wasSent: true, e);
        }
        catch (InvalidDataException e)
        {
            throw new EtcdV2Exception(endpoint, $"its answer has {e.Message} ({MaxAnswerSize >> 20} MiB)", wasSent: true, e);
        }
        catch (IOException e) when (e is not EtcdV2Exception)
        {
            throw new EtcdV2Exception(endpoint, $"its answer broke off: {e.Message}", wasSent: true, e);
        }
    }

    private async Task<bool> HasEventAsync(LimitedStream body, TimeSpan patience, CancellationToken cancel)
    {
        using CancellationTokenSource silence = new(patience, _time), either = CancellationTokenSource.CreateLinkedTokenSource(cancel, silence.Token);
        try
        {
            return await body.WaitForFirstAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Uri endpoint, EtcdV2Request request, CancellationToken cancel)
    {
        Uri target = endpoint;
        for (int redirects = 0; ; redirects++)
        {
            using HttpRequestMessage message = request.ToMessage(target);
            message.Headers.Authorization = _authorization;
            HttpResponseMessage response = await _http.SendAsync(message, cancel).ConfigureAwait(false);
            if ((int)response.StatusCode is < 300 or > 399 || response.Headers.Location is not { } location) return response;
            response.Dispose();
            if (redirects == MaxRedirects) throw new EtcdV2Exception(endpoint, $"redirects more than {MaxRedirects} times", wasSent: false);
            // Only among ourselves: what a stranger sends us to would get the password, and could make up a cluster.
            target = Configured(new(target, location))
                ?? throw new EtcdV2Exception(endpoint, $"redirects to {InvalidInputException.Quote(location.OriginalString)}, which is none of -etcd-endpoints", wasSent: false);
        }
    }

    private Uri? Configured(Uri location)
    {
        foreach (Uri endpoint in _options.Endpoints)
        {
            if (Uri.Compare(endpoint, location, UriComponents.SchemeAndServer | UriComponents.StrongPort, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0) return endpoint;
        }
        return null;
    }

    private static long Index(Uri endpoint, HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues("X-Etcd-Index", out IEnumerable<string>? values)
            && long.TryParse(values.First(), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long index))
        {
            return index;
        }
        // Errors of the authentication come without.
        if (!response.IsSuccessStatusCode) return 0;
        throw Foreign(endpoint, response);
    }

    private static async Task<EtcdV2Response> ReadAsync(Uri endpoint, HttpResponseMessage response, Stream body, CancellationToken cancel)
    {
        EtcdV2Response? answer = null;
        try
        {
            answer = await JsonSerializer.DeserializeAsync(body, EtcdV2JsonContext.Default.EtcdV2Response, cancel).ConfigureAwait(false);
        }
        catch (JsonException) when (!response.IsSuccessStatusCode)
        {
            // The page of a proxy, and no error of etcd.
        }
        bool isUsable = response.IsSuccessStatusCode ? answer?.Node?.Key is not null : answer?.ErrorCode > 0;
        return isUsable ? answer! : throw Foreign(endpoint, response);
    }

    private static EtcdV2Exception Foreign(Uri endpoint, HttpResponseMessage response)
    {
        string type = response.Content.Headers.ContentType?.MediaType ?? "nothing";
        // The answer of Go's own router where nothing is registered.
        bool isUnserved = response.StatusCode == HttpStatusCode.NotFound && type == "text/plain";
        string reason = isUnserved
            ? "does not serve the v2 API (etcd since 3.4 does so with --enable-v2 only, since 3.6 never)"
            : $"answers HTTP {(int)response.StatusCode} with {InvalidInputException.Quote(type)[1..^1]}, which is not of etcd's keys API";
        return new(endpoint, reason, wasSent: true) { IsUnserved = isUnserved };
    }
}
