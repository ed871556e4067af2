namespace FlannelFast.Lab.Traffic;

/// <summary>
/// relay: joins two devices by a wire that delays, reorders, repeats and loses frames. A program, because netem is missing in many kernels,
/// and no other queueing discipline or eBPF program can hold a packet back without it or fq.
/// </summary>
internal static class Relay
{
    private const int Million = 1_000_000;

    internal static AgentResult Run(AgentContext context)
    {
        AgentArguments arguments = context.Arguments;
        (string first, string second) = (arguments.Word("--first", 15, ""), arguments.Word("--second", 15, ""));
        var impairment = new Impairment(
            arguments.Integer("--delay-us", 0, 10_000_000, 0) * 1000,
            (int)arguments.Integer("--loss-ppm", 0, Million, 0),
            (int)arguments.Integer("--reorder-ppm", 0, Million, 0),
            (int)arguments.Integer("--duplicate-ppm", 0, Million, 0));
        bool oneWay = arguments.Switch("--one-way");
        arguments.Finish();
        using PacketSocket one = PacketSocket.Open(first), other = PacketSocket.Open(second);
        using RelayDirection there = new(one, other, impairment, new Random());
        using RelayDirection back = new(other, one, oneWay ? default : impairment, new Random());
        context.Listening();
        Workers workers = new();
        foreach (RelayDirection direction in new[] { there, back })
        {
            workers.Start("relay", () =>
            {
                try
                {
                    direction.Run(context.Stop);
                }
                finally
                {
                    // A wire that carries one way only is none.
                    context.Stop.Set();
                }
            });
        }
        workers.Join();
        return new RelayResult
        {
            Role = "relay",
            Forwarded = there.Forwarded + back.Forwarded,
            Lost = there.Lost + back.Lost,
            Reordered = there.Reordered + back.Reordered,
            Duplicated = there.Duplicated + back.Duplicated,
            Overflowed = there.Overflowed + back.Overflowed,
        };
    }
}
