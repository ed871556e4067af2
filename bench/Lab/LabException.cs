namespace FlannelFast.Lab;

/// <summary>The lab cannot do what it was asked. The message is for the user and needs no stack trace.</summary>
/// <param name="message">What happened and where; several lines only where another program's output is quoted.</param>
/// <param name="isInput">True if the request was wrong (a flag, a scenario, a template) and nothing was touched.</param>
public sealed class LabException(string message, bool isInput = false) : Exception(message)
{
    /// <summary>True if the request was wrong; false if the host, the kernel or a contender refused.</summary>
    public bool IsInput { get; } = isInput;

    internal static LabException Input(string message) => new(message, isInput: true);
}
