namespace FlannelFast.Daemon.Rendering;

/// <summary>Rows of cells in aligned columns, two spaces apart.</summary>
internal sealed class TextTable(params Column[] columns)
{
    private readonly List<(string[] Cells, Func<string, string>? Style)> _rows = [];

    /// <summary>Adds a row; missing cells at the end are empty.</summary>
    internal void Add(params string[] cells) => _rows.Add((cells, null));

    /// <summary>Adds a row whose finished line is passed through <paramref name="style"/>, which adds no visible character.</summary>
    internal void AddStyled(Func<string, string> style, params string[] cells) => _rows.Add((cells, style));

    /// <summary>The lines, without spaces at their ends.</summary>
    internal IEnumerable<string> Lines()
    {
        int[] widths = new int[columns.Length];
        foreach ((string[] cells, _) in _rows)
        {
            for (int i = 0; i < cells.Length; i++) widths[i] = Math.Max(widths[i], cells[i].Length);
        }
        foreach ((string[] cells, Func<string, string>? style) in _rows)
        {
            string line = string.Join("  ", cells.Select((cell, i) =>
                columns[i] == Column.Right ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]))).TrimEnd();
            yield return style is null ? line : style(line);
        }
    }
}
