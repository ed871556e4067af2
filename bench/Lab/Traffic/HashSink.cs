using System.Net;

namespace FlannelFast.Lab.Traffic;

/// <summary>hash-sink: checks payload that it can compute itself, over TCP and UDP on the same port.</summary>
internal static class HashSink
{
    internal static AgentResult Run(AgentContext context)
    {
        IPEndPoint local = context.Arguments.EndPoint("--listen");
        context.Arguments.Finish();
        using LabSocket listener = LabSocket.Listen(local);
        using LabSocket udp = LabSocket.BindUdp(local);
        udp.EnlargeBuffers();
        using HashUdpSink datagrams = new(udp);
        HashTcpSink streams = new(listener);
        context.Listening();
        Workers workers = new();
        workers.Start("hash-udp", () => datagrams.Serve(context.Stop));
        workers.Start("hash-tcp", () => streams.Serve(context.Stop));
        workers.Join();
        return new HashSinkResult
        {
            Role = "hash-sink",
            Runs = datagrams.Runs + streams.Runs,
            Bytes = datagrams.Bytes + streams.Bytes,
            Corrupt = datagrams.Corrupt,
        };
    }
}
