namespace FlannelFast.Lab.Traffic;

/// <summary>What a TCP connection to the sink carries.</summary>
internal enum TcpPreambleKind
{
    /// <summary>Opened first; asks for the sink's figures at the end.</summary>
    Control,

    /// <summary>Payload from the source.</summary>
    Forward,

    /// <summary>Payload from the sink.</summary>
    Reverse,
}
