using FlannelFast.Control.Tunnels;

namespace FlannelFast.Daemon.Flanneld.GoFlags;

/// <summary>
/// Reads a command line as Go's package flag does (FlagSet.parseOne): "-x v", "-x=v", "--x v" and "--x=v" are one, a boolean takes a value only
/// behind '=', "--" and the first word that is no flag end the flags, the last of several wins.
/// </summary>
/// <param name="program">Whose flags these are, for messages.</param>
/// <param name="explainUnknown">What to say of a name that is no flag of this set; null where there is nothing more to say.</param>
internal sealed class GoFlagSet(string program, Func<string, string?>? explainUnknown = null)
{
    private readonly SortedDictionary<string, GoFlag> _flags = new(StringComparer.Ordinal);

    /// <summary>All flags by name, as Go's usage lists them.</summary>
    internal IReadOnlyCollection<GoFlag> Flags => _flags.Values;

    /// <summary>What was left when the flags ended; never read by flanneld.</summary>
    internal IReadOnlyList<string> Rest { get; private set; } = [];

    /// <summary>-h or -help was given.</summary>
    internal bool IsHelpWanted { get; private set; }

    internal T Add<T>(T flag) where T : GoFlag
    {
        _flags.Add(flag.Name, flag);
        return flag;
    }

    /// <summary>Reads the words up to the end of the flags, or to a wish for help.</summary>
    /// <exception cref="GoFlagException">A word is no flag of this set, or its value is none; the flags before it are set.</exception>
    internal void Parse(ReadOnlySpan<string> words)
    {
        int next = 0;
        while (next < words.Length && words[next] is ['-', _, ..] word)
        {
            next++;
            if (word == "--") break;
            next += ParseFlag(word, words[next..]);
            if (IsHelpWanted) return;
        }
        Rest = [.. words[next..]];
    }

    /// <summary>Sets what the command line has not, from variables named PREFIX_FLAG_NAME; empty ones count as unset.</summary>
    /// <returns>One line for each variable whose value cannot be used and was passed over.</returns>
    internal IReadOnlyList<string> ReadEnvironment(string prefix, Func<string, string?> variable)
    {
        var refused = new List<string>();
        foreach (GoFlag flag in _flags.Values)
        {
            if (flag.IsSet) continue;
            string name = $"{prefix}_{flag.Name.ToUpperInvariant().Replace('-', '_')}";
            if (variable(name) is not { Length: > 0 } value) continue;
            try
            {
                flag.Set(value);
            }
            catch (GoFlagException e)
            {
                refused.Add($"{name} is not used: {e.Message}");
            }
        }
        return refused;
    }

    /// <summary>Reads one flag.</summary>
    /// <returns>How many of the words behind it belong to it.</returns>
    private int ParseFlag(string word, ReadOnlySpan<string> following)
    {
        string body = word[(word[1] == '-' ? 2 : 1)..];
        if (body[0] is '-' or '=') throw new GoFlagException($"{InvalidInputException.Quote(word)}: expected a flag such as -iface=eth0");
        int equals = body.IndexOf('=');
        string name = equals < 0 ? body : body[..equals];
        string? value = equals < 0 ? null : body[(equals + 1)..];
        if (!_flags.TryGetValue(name, out GoFlag? flag))
        {
            IsHelpWanted = name is "h" or "help";
            return IsHelpWanted ? 0 : throw new GoFlagException(explainUnknown?.Invoke(name) is { } reason
                ? $"-{name}: {reason}"
                : $"{InvalidInputException.Quote($"-{name}")}: expected a flag of {program}; see \"{program} -help\"");
        }
        if (value is not null || flag.IsBoolean)
        {
            flag.Set(value ?? "true");
            return 0;
        }
        if (following.IsEmpty) throw new GoFlagException($"-{name}: expected a value");
        flag.Set(following[0]);
        return 1;
    }
}
