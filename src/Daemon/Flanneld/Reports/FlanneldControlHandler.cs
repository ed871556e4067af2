using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Flanneld.Hosting;

namespace FlannelFast.Daemon.Flanneld.Reports;

/// <summary>The commands of a flanneld: it can be asked how it is, but not told what its peers are.</summary>
internal sealed class FlanneldControlHandler(DaemonState state) : IControlHandler
{
    public ControlResponse Handle(ControlRequest request)
    {
        if (request.Schema != ControlProtocol.Schema)
            return ControlResponse.Failure(ControlErrorCode.BadRequest, $"this daemon speaks schema {ControlProtocol.Schema}, not {request.Schema}");
        if (request.PeerLimit < 0)
            return ControlResponse.Failure(ControlErrorCode.BadRequest, $"peer_limit: expected 0 or more, not {request.PeerLimit}");
        return request.Command switch
        {
            ControlProtocol.Status => new() { Flanneld = FlanneldReporter.Report(state, request.PeerLimit) },
            ControlProtocol.PeerAdd or ControlProtocol.PeerDelete or ControlProtocol.PeerList =>
                ControlResponse.Failure(ControlErrorCode.InvalidInput, "this daemon is a flanneld, whose peers are the leases of its store: see \"flannelfast status\""),
            _ => ControlResponse.Failure(ControlErrorCode.BadRequest, $"unknown command {InvalidInputException.Quote(request.Command)}"),
        };
    }
}
