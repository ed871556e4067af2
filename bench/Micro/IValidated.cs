namespace FlannelFast.Bench.Micro;

/// <summary>
/// A benchmark class that proves its results before anything is timed. BenchmarkDotNet and <c>--validate</c> both call
/// <see cref="Setup"/> for every combination of the class's [Params].
/// </summary>
internal interface IValidated
{
    /// <summary>Marked [GlobalSetup]: prepares the inputs, runs what will be timed and compares with the slow twin; throws on the first difference.</summary>
    void Setup();
}
