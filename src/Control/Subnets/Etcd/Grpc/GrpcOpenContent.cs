using System.Net;

namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>
/// The body of a request that says one thing and then stays open, as a watch does: half closed, etcd would be free to end the call. HttpClient hands
/// out the answer beside an unfinished body for any content that is not its own (HttpContent.AllowDuplex).
/// </summary>
/// <param name="frame">The message.</param>
internal sealed class GrpcOpenContent(byte[] frame) : HttpContent
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        await _end.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = -1;
        return false;
    }

    /// <summary>Ends the body.</summary>
    protected override void Dispose(bool disposing)
    {
        _end.TrySetResult();
        base.Dispose(disposing);
    }
}
