namespace FlannelFast.Control.Processes;

/// <summary>Runs programs. The seam at which tests put programs that are not there.</summary>
internal interface IProgramRunner
{
    /// <summary>Runs a program to its end, whatever its exit code. Safe for concurrent use.</summary>
    /// <exception cref="ProgramException">It is not there, cannot be started, or did not end in time and was killed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; it was killed.</exception>
    Task<ProgramResult> RunAsync(ProgramRequest request, CancellationToken cancel);
}
