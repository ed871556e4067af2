using System.Globalization;

namespace FlannelFast.Daemon.Rendering;

/// <summary>Numbers for people.</summary>
internal static class Quantity
{
    private static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>"1,234,567".</summary>
    internal static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"1.5 MiB".</summary>
    internal static string Bytes(long value)
    {
        double amount = value;
        int unit = 0;
        while (amount >= 1023.95 && unit < s_units.Length - 1)
        {
            amount /= 1024;
            unit++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{(unit == 0 ? amount : Math.Round(amount, 1)):0.#} {s_units[unit]}");
    }

    /// <summary>"3 d 4 h", "12 min 5 s", "4 s": the two largest units.</summary>
    internal static string Duration(TimeSpan time) => time switch
    {
        { TotalDays: >= 1 } => $"{(int)time.TotalDays} d {time.Hours} h",
        { TotalHours: >= 1 } => $"{time.Hours} h {time.Minutes} min",
        { TotalMinutes: >= 1 } => $"{time.Minutes} min {time.Seconds} s",
        _ => $"{time.Seconds} s",
    };
}
