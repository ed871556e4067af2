using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Lab.Traffic;

/// <summary>Questions to a sink over a lossy path: asked again every 100 ms until the answer comes.</summary>
internal static unsafe class UdpExchange
{
    /// <summary>Asks.</summary>
    /// <param name="socket">Connected to the sink.</param>
    /// <param name="question">Kind, sender and sequence come back in the answer.</param>
    /// <param name="answer">Room for it; overwritten by strays meanwhile.</param>
    /// <param name="length">Bytes of the answer, header included; an answer of another length is not one.</param>
    /// <param name="deadline">When to give up.</param>
    /// <exception cref="AgentException">No answer.</exception>
    internal static void Ask(LabSocket socket, ProbeHeader question, void* answer, int length, long deadline)
    {
        long askAgain = 0;
        while (Clock.Now < deadline)
        {
            if (Clock.Now >= askAgain)
            {
                SysResult sent = socket.Send(&question, ProbeHeader.Size);
                if (sent.IsError && !LabSocket.IsTransient(sent.Errno)) throw LabSocket.Failure("send", sent);
                askAgain = Clock.Now + LabSocket.WaitMilliseconds * Clock.Millisecond;
            }
            SysResult got = socket.Receive(answer, length);
            if (got.IsError && !LabSocket.IsTransient(got.Errno)) throw LabSocket.Failure("receive", got);
            // A refusal is told at once, over and over.
            if (got.IsError && !LabSocket.IsTimeout(got.Errno)) Clock.Sleep(10 * Clock.Millisecond);
            var header = (ProbeHeader*)answer;
            if (got.Raw == length && header->IsOurs && header->Kind == question.Kind && header->Sender == question.Sender && header->Sequence == question.Sequence)
                return;
        }
        throw LabSocket.Late();
    }

    /// <summary>A sender id: never 0.</summary>
    internal static ulong NewSender() => (ulong)Random.Shared.NextInt64(1, long.MaxValue);
}
