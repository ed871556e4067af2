using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>Changes, or news of the watch itself (etcdserverpb.WatchResponse).</summary>
/// <param name="Header">Its revision is the member's, which may be ahead of the events.</param>
/// <param name="Created">The watch stands.</param>
/// <param name="Canceled">The watch is over; may come together with <paramref name="Created"/>.</param>
/// <param name="CompactRevision">Not 0 where it is over because what it asked for was compacted away up to this revision.</param>
/// <param name="CancelReason">Why it is over; may be empty.</param>
/// <param name="IsFragment">Events of the same revision follow in the next answer.</param>
/// <param name="Events">By revision, ascending. None in a progress notification.</param>
internal sealed record WatchResponse(
    ResponseHeader Header, bool Created, bool Canceled, long CompactRevision, string CancelReason, bool IsFragment, IReadOnlyList<WatchEvent> Events)
    : IProtobufParsable<WatchResponse>
{
    public static WatchResponse Parse(ReadOnlySpan<byte> message)
    {
        ResponseHeader header = ResponseHeader.None;
        bool created = false, canceled = false, fragment = false;
        long compacted = 0;
        string reason = "";
        List<WatchEvent> events = [];
        ProtobufReader reader = new(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    header = ResponseHeader.Parse(reader.ReadBytes());
                    break;
                case 3:
                    created = reader.ReadBool();
                    break;
                case 4:
                    canceled = reader.ReadBool();
                    break;
                case 5:
                    compacted = reader.ReadInt64();
                    break;
                case 6:
                    reason = reader.ReadString();
                    break;
                case 7:
                    fragment = reader.ReadBool();
                    break;
                case 11:
                    events.Add(WatchEvent.Parse(reader.ReadBytes()));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return new(header, created, canceled, compacted, reason, fragment, events);
    }
}
