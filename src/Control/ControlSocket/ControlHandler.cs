using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.ControlSocket;

/// <summary>The commands of a tunnel daemon.</summary>
internal sealed class ControlHandler(ITunnelRuntime runtime, PeerEditor peers, StatusReporter reporter) : IControlHandler
{
    public ControlResponse Handle(ControlRequest request)
    {
        if (request.Schema != ControlProtocol.Schema)
            return ControlResponse.Failure(ControlErrorCode.BadRequest, $"this daemon speaks schema {ControlProtocol.Schema}, not {request.Schema}");
        if (request.PeerLimit < 0)
            return ControlResponse.Failure(ControlErrorCode.BadRequest, $"peer_limit: expected 0 or more, not {request.PeerLimit}");
        try
        {
            return request.Command switch
            {
                ControlProtocol.Status => new() { Status = reporter.Report(runtime.ReadStatus(), request.PeerLimit) },
                ControlProtocol.PeerList => List(request),
                ControlProtocol.PeerAdd => new() { Change = peers.Add(request.Peers, request.Replace) },
                ControlProtocol.PeerDelete => new() { Change = peers.Delete(request.Subnets) },
                _ => ControlResponse.Failure(ControlErrorCode.BadRequest, $"unknown command {InvalidInputException.Quote(request.Command)}"),
            };
        }
        catch (InvalidInputException e)
        {
            return ControlResponse.Failure(ControlErrorCode.InvalidInput, e.Message);
        }
        catch (ArgumentException e)
        {
            // The engine's peer table may refuse what the general rules allow, for instance prefixes it cannot index.
            return ControlResponse.Failure(ControlErrorCode.InvalidInput, e.Message);
        }
        catch (PeerConflictException e)
        {
            return ControlResponse.Failure(ControlErrorCode.Conflict, e.Message);
        }
    }

    private ControlResponse List(ControlRequest request)
    {
        TunnelStatus status = runtime.ReadStatus();
        return new() { PeerCount = status.Peers.Count, Peers = StatusReporter.Peers(status, request.PeerLimit) };
    }
}
