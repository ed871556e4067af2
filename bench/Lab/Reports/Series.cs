namespace FlannelFast.Lab.Reports;

/// <summary>How a quantity goes with another one within a measurement.</summary>
/// <param name="Title">The quantity.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Along">What it goes with: "seconds", "peers".</param>
/// <param name="X">Values of that, ascending.</param>
/// <param name="Y">The quantity at each of them.</param>
internal sealed record Series(string Title, string Unit, string Along, IReadOnlyList<double> X, IReadOnlyList<double> Y);
