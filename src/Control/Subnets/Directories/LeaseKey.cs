namespace FlannelFast.Control.Subnets.Directories;

/// <summary>Which keys can be file names of a directory store: printable ASCII without slash or space, not hidden.</summary>
internal static class LeaseKey
{
    /// <summary>Far above the longest key (a subnet of each family), below NAME_MAX (255).</summary>
    internal const int MaxLength = 128;

    internal static bool IsValid(string key)
    {
        if (key.Length is 0 or > MaxLength || key[0] == '.') return false;
        foreach (char c in key)
        {
            if (c is <= ' ' or '/' or >= '\x7f') return false;
        }
        return true;
    }

    /// <exception cref="ArgumentException">It is none of those.</exception>
    internal static void ThrowIfInvalid(string key)
    {
        if (!IsValid(key)) throw new ArgumentException($"expected 1 to {MaxLength} printable characters without slash or space, not {Tunnels.InvalidInputException.Quote(key)}", nameof(key));
    }
}
