using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>One change (mvccpb.Event).</summary>
/// <param name="IsDelete">The key was deleted or ran out; only its name and ModRevision count then.</param>
/// <param name="KeyValue">The key afterwards.</param>
internal sealed record WatchEvent(bool IsDelete, KeyValue KeyValue) : IProtobufParsable<WatchEvent>
{
    public static WatchEvent Parse(ReadOnlySpan<byte> message)
    {
        ulong type = 0;
        KeyValue? found = null;
        ProtobufReader reader = new(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    type = reader.ReadUInt64();
                    break;
                case 2:
                    found = KeyValue.Parse(reader.ReadBytes());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        if (type > 1 || found is null) throw new InvalidDataException($"an event has type {type} and {(found is null ? "no" : "a")} key");
        return new(type == 1, found);
    }
}
