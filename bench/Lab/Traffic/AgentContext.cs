namespace FlannelFast.Lab.Traffic;

/// <summary>What a role is given.</summary>
internal sealed record AgentContext(AgentArguments Arguments, TextWriter Output, StopSignal Stop)
{
    /// <summary>Tells the runner that sources may start.</summary>
    internal void Listening()
    {
        Output.WriteLine("listening");
        Output.Flush();
    }
}
