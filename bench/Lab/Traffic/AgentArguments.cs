using System.Globalization;
using System.Net;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// The flags of one role. Reading a flag marks it as known; <see cref="Finish"/> refuses what nobody read, so a misspelled
/// flag never runs a measurement with defaults.
/// </summary>
internal sealed class AgentArguments
{
    private readonly string _role;
    private readonly Dictionary<string, string?> _values = [];
    private readonly HashSet<string> _read = [];

    /// <param name="role">Name of the role, for messages.</param>
    /// <param name="args">What follows it: "--flag value" or "--flag".</param>
    /// <exception cref="AgentUsageException">Something is not a flag, or a flag stands twice.</exception>
    internal AgentArguments(string role, ReadOnlySpan<string> args)
    {
        _role = role;
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            if (!name.StartsWith("--", StringComparison.Ordinal) || name.Length == 2) throw Fail($"\"{name}\" is not a flag");
            bool hasValue = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal);
            if (!_values.TryAdd(name, hasValue ? args[i + 1] : null)) throw Fail($"{name} is given twice");
            if (hasValue) i++;
        }
    }

    /// <summary>An address with port 1 to 65535: 192.0.2.1:5001 or [2001:db8::1]:5001.</summary>
    internal IPEndPoint EndPoint(string name)
    {
        string text = Required(name);
        // Without the port check "10.0.0.1" would be an address with port 0, and "::1:5" an address without one.
        if (!IPEndPoint.TryParse(text, out IPEndPoint? parsed) || parsed.Port == 0)
            throw Fail($"{name} expects an address with a port, such as 192.0.2.1:5001 or [2001:db8::1]:5001, not \"{text}\"");
        return parsed;
    }

    /// <summary>An address: 192.0.2.1 or 2001:db8::1.</summary>
    internal IPAddress Address(string name)
    {
        string text = Required(name);
        return IPAddress.TryParse(text, out IPAddress? parsed) ? parsed : throw Fail($"{name} expects an address, such as 192.0.2.1 or 2001:db8::1, not \"{text}\"");
    }

    /// <summary>A whole number within bounds.</summary>
    /// <param name="name">The flag.</param>
    /// <param name="low">Least value accepted.</param>
    /// <param name="high">Greatest value accepted.</param>
    /// <param name="fallback">What holds without the flag; null makes the flag required.</param>
    internal long Integer(string name, long low, long high, long? fallback = null)
    {
        if (fallback is { } value && !_values.ContainsKey(name)) return value;
        string text = Required(name);
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number < low || number > high)
            throw Fail($"{name} expects a whole number from {low} to {high}, not \"{text}\"");
        return number;
    }

    /// <summary>A duration, in seconds with decimals, 0.1 to 86,400; returned in nanoseconds.</summary>
    internal long Seconds(string name, double? fallback = null)
    {
        if (fallback is { } value && !_values.ContainsKey(name)) return (long)(value * Clock.Second);
        string text = Required(name);
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) || seconds is not (>= 0.1 and <= 86_400))
            throw Fail($"{name} expects seconds from 0.1 to 86400, not \"{text}\"");
        return (long)(seconds * Clock.Second);
    }

    /// <summary>A word of lower-case letters, digits, "-" and "_".</summary>
    internal string Word(string name, int limit, string fallback)
    {
        if (!_values.ContainsKey(name)) return fallback;
        string text = Required(name);
        if (text.Length > limit || !text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_'))
            throw Fail($"{name} expects a name of at most {limit} lower-case letters and digits, not \"{text}\"");
        return text;
    }

    /// <summary>Whether a flag without value stands there.</summary>
    internal bool Switch(string name)
    {
        _read.Add(name);
        if (!_values.TryGetValue(name, out string? value)) return false;
        return value is null ? true : throw Fail($"{name} takes no value, but \"{value}\" follows");
    }

    /// <summary>Exactly one of two switches or flags must be there; says whether it is the first.</summary>
    internal bool Either(string first, string second)
    {
        _read.Add(first);
        _read.Add(second);
        bool one = _values.ContainsKey(first);
        return one != _values.ContainsKey(second) ? one : throw Fail($"expected exactly one of {first} and {second}");
    }

    /// <summary>Call after the last flag was read.</summary>
    /// <exception cref="AgentUsageException">A flag is left that this role does not know.</exception>
    internal void Finish()
    {
        foreach (string name in _values.Keys)
        {
            if (!_read.Contains(name)) throw Fail($"unknown flag {name}");
        }
    }

    private string Required(string name)
    {
        _read.Add(name);
        if (!_values.TryGetValue(name, out string? text)) throw Fail($"{name} is missing");
        return text ?? throw Fail($"{name} expects a value");
    }

    private AgentUsageException Fail(string problem) => new($"{_role}: {problem}");
}
