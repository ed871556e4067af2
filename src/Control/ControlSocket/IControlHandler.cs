namespace FlannelFast.Control.ControlSocket;

/// <summary>Answers requests. Called from several threads at once.</summary>
internal interface IControlHandler
{
    /// <summary>Answers one request; mistakes of the client become an answer with an error.</summary>
    ControlResponse Handle(ControlRequest request);
}
