using System.IO.Pipelines;

namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>A call that is being answered by many messages. Not safe for concurrent use.</summary>
internal sealed class GrpcStream<TResponse> : IDisposable
    where TResponse : class, IProtobufParsable<TResponse>
{
    private readonly string _endpoint;
    private readonly HttpRequestMessage _request;
    private readonly HttpResponseMessage _response;
    private readonly PipeReader _reader;
    private readonly CancellationTokenSource _life;

    /// <summary>Owns all it is given.</summary>
    internal GrpcStream(string endpoint, HttpRequestMessage request, HttpResponseMessage response, PipeReader reader, CancellationTokenSource life)
    {
        _endpoint = endpoint;
        _request = request;
        _response = response;
        _reader = reader;
        _life = life;
    }

    /// <summary>Waits for the next message, for as long as it takes: a connection that is dead is found out by the pings.</summary>
    /// <exception cref="GrpcException">The call ended; an orderly end, which a watch does not have, is Unavailable.</exception>
    internal async ValueTask<TResponse> ReadAsync(CancellationToken cancel)
    {
        try
        {
            if (await GrpcFrame.ReadAsync<TResponse>(_reader, cancel).ConfigureAwait(false) is { } message) return message;
            if (!GrpcStatus.Check(_response.TrailingHeaders, _endpoint)) throw new InvalidDataException("the stream ended without a status");
            throw new GrpcException(GrpcStatusCode.Unavailable, _endpoint, "the stream was ended by the server");
        }
        catch (Exception e) when (GrpcFailure.IsExpected(e, cancel))
        {
            throw GrpcFailure.Explain(e, _endpoint, timeout: null);
        }
    }

    /// <summary>Ends the call: the server gets RST_STREAM.</summary>
    public void Dispose()
    {
        _life.Cancel();
        _reader.Complete();
        _response.Dispose();
        _request.Dispose();
        _life.Dispose();
    }
}
