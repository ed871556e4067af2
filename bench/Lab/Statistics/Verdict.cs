namespace FlannelFast.Lab.Statistics;

/// <summary>What became of a quantity between two runs.</summary>
internal enum Verdict
{
    /// <summary>Whatever change there is is smaller than what matters.</summary>
    Unchanged,

    /// <summary>Better beyond the noise and by more than what does not matter.</summary>
    Improved,

    /// <summary>Worse beyond the noise and by more than what does not matter.</summary>
    Regressed,

    /// <summary>The noise is too large, or the rounds too few, to tell.</summary>
    Undecided,
}
