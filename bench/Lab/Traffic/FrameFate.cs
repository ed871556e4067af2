namespace FlannelFast.Lab.Traffic;

/// <summary>What becomes of a frame on an impaired wire.</summary>
[Flags]
internal enum FrameFate
{
    /// <summary>It arrives after the delay.</summary>
    Delayed = 0,

    /// <summary>It skips the delay.</summary>
    AtOnce = 1,

    /// <summary>It arrives twice.</summary>
    Twice = 2,

    /// <summary>It never arrives.</summary>
    Lost = 4,
}
