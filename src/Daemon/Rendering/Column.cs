namespace FlannelFast.Daemon.Rendering;

/// <summary>On which side the cells of a column stand.</summary>
internal enum Column
{
    Left,
    Right,
}
