using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Running;

/// <summary>Told what a run does, while it does it.</summary>
internal interface ILabProgress
{
    /// <summary>A sentence worth keeping.</summary>
    void Notice(string text);

    /// <summary>What is going on now; the next call replaces it.</summary>
    void Doing(string text);

    /// <summary>A measurement is done.</summary>
    void Measured(Measurement measurement);

    /// <summary>A measurement gave no result.</summary>
    void Failed(FailedMeasurement failure);
}
