using System.Globalization;

namespace FlannelFast.Daemon.Flanneld.GoFlags;

/// <summary>Whole numbers as Go reads them where no base is given (strconv.ParseInt with base 0).</summary>
internal static class GoInteger
{
    /// <summary>Reads "60", "-1", "0x10", "0o17", "017", "0b11", and "1_000" with single underscores between digits or behind the base.</summary>
    internal static bool TryParse(string text, out long value)
    {
        value = 0;
        ReadOnlySpan<char> digits = text;
        bool isNegative = digits is ['-', ..];
        if (digits is ['-' or '+', ..]) digits = digits[1..];
        (int numberBase, int prefix) = digits switch
        {
            ['0', 'x' or 'X', ..] => (16, 2),
            ['0', 'o' or 'O', ..] => (8, 2),
            ['0', 'b' or 'B', ..] => (2, 2),
            ['0', _, ..] => (8, 1),
            _ => (10, 0),
        };
        digits = digits[prefix..];
        // Behind the base an underscore may follow at once ("0x_10"), elsewhere a digit must come before it.
        bool wasDigit = prefix > 0;
        if (digits.IsEmpty) return false;
        foreach (char c in digits)
        {
            if (c == '_')
            {
                if (!wasDigit) return false;
                wasDigit = false;
                continue;
            }
            wasDigit = true;
            if (!int.TryParse([c], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int digit) || digit >= numberBase) return false;
            // Far above any flag of ours, far below an overflow.
            if (value > long.MaxValue / 32) return false;
            value = value * numberBase + digit;
        }
        if (isNegative) value = -value;
        return wasDigit;
    }
}
