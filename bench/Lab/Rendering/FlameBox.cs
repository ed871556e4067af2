using FlannelFast.Lab.Profiling;

namespace FlannelFast.Lab.Rendering;

/// <summary>One box of a flame graph.</summary>
/// <param name="Frame">What it stands for.</param>
/// <param name="Depth">Its row, from 0: the whole machine.</param>
/// <param name="Left">Samples left of it.</param>
/// <param name="Samples">Its width.</param>
internal readonly record struct FlameBox(Frame Frame, int Depth, long Left, long Samples);
