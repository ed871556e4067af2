using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3.Messages;

namespace FlannelFast.Control.Subnets.Etcd.V3;

/// <summary>Reads all keys with a prefix, page by page at one revision.</summary>
internal static class EtcdListing
{
    /// <summary>Keys in a page: some 100 kB of leases.</summary>
    internal const int PageSize = 512;

    private const int MaxRestarts = 3;

    /// <summary>For all pages together, each of which has the timeout of a call besides.</summary>
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(1);

    /// <summary>Reads them.</summary>
    /// <param name="client">Where.</param>
    /// <param name="prefix">Ends with a slash.</param>
    /// <param name="time">The deadline.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The keys, and the header of the page they all agree with.</returns>
    internal static async Task<(List<KeyValue> Keys, ResponseHeader Header)> ReadAsync(EtcdV3Client client, byte[] prefix, TimeProvider time, CancellationToken cancel)
    {
        using CancellationTokenSource expiry = new(s_timeout, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        for (int restart = 0; ; restart++)
        {
            try
            {
                return await ReadAtOneRevisionAsync(client, prefix, deadline.Token).ConfigureAwait(false);
            }
            catch (GrpcException e) when (e.Code == GrpcStatusCode.OutOfRange && restart < MaxRestarts)
            {
                // The revision of the first page was compacted away between two pages.
            }
            catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
            {
                throw new GrpcException(GrpcStatusCode.DeadlineExceeded, "etcd", $"not all keys within {s_timeout.TotalSeconds:0} s", e);
            }
        }
    }

    /// <summary>The first key after all that begin with the prefix: its last byte, a slash, counted up.</summary>
    internal static byte[] EndOf(byte[] prefix) => [.. prefix[..^1], (byte)(prefix[^1] + 1)];

    private static async Task<(List<KeyValue> Keys, ResponseHeader Header)> ReadAtOneRevisionAsync(EtcdV3Client client, byte[] prefix, CancellationToken cancel)
    {
        byte[] end = EndOf(prefix), next = prefix;
        List<KeyValue> keys = [];
        ResponseHeader? first = null;
        int size = PageSize;
        while (true)
        {
            RangeResponse page = await ReadPageAsync(client, new(next, end, size, first?.Revision ?? 0), cancel).ConfigureAwait(false);
            first ??= page.Header;
            keys.AddRange(page.KeyValues);
            if (!page.More) return (keys, first);
            if (page.KeyValues.Count == 0 || page.KeyValues[^1].Key.AsSpan().SequenceCompareTo(next) < 0)
                throw new GrpcException(GrpcStatusCode.Internal, "etcd", "announces more keys but does not give them");
            next = [.. page.KeyValues[^1].Key, 0];
            size = Math.Min(PageSize, 8 * page.KeyValues.Count);
        }
    }

    /// <summary>Reads a page, a smaller one where somebody stored values so large that the page is refused.</summary>
    private static async Task<RangeResponse> ReadPageAsync(EtcdV3Client client, RangeRequest request, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                RangeResponse page = await client.RangeAsync(request, cancel).ConfigureAwait(false);
                return request.KeysOnly ? page with { KeyValues = [.. page.KeyValues.Select(key => key with { IsTruncated = true })] } : page;
            }
            catch (GrpcException e) when (e.InnerException is MessageTooLargeException && !request.KeysOnly)
            {
                request = request.Limit > 1 ? request with { Limit = Math.Max(1, request.Limit / 8) } : request with { KeysOnly = true };
            }
        }
    }
}
