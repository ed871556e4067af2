using System.Text;

namespace FlannelFast.Lab.Contenders;

/// <summary>A command line with placeholders in braces, which a shell runs on every node.</summary>
internal sealed class CommandTemplate
{
    /// <summary>The placeholders and what they stand for.</summary>
    internal static readonly IReadOnlyList<(string Name, string Meaning)> Placeholders =
    [
        ("local", "underlay address of this node"),
        ("peer", "underlay address of the other node"),
        ("subnet", "this node's part of the overlay, for example 10.48.1.0/24"),
        ("peer_subnet", "the other node's part"),
        ("network", "the whole overlay"),
        ("device", "name of the device to make"),
        ("node", "number of this node, 1 or 2"),
    ];

    private readonly List<(string Literal, string? Placeholder)> _parts = [];

    private CommandTemplate(string text) => Text = text;

    /// <summary>As it was written.</summary>
    internal string Text { get; }

    /// <summary>Reads a template. "{{" and "}}" stand for single braces.</summary>
    /// <exception cref="LabException">A brace has no partner or a placeholder is unknown.</exception>
    internal static CommandTemplate Parse(string place, string text)
    {
        var template = new CommandTemplate(text);
        var literal = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c is '{' or '}' && i + 1 < text.Length && text[i + 1] == c)
            {
                literal.Append(c);
                i++;
            }
            else if (c == '{')
            {
                int end = text.IndexOf('}', i);
                string name = end < 0 ? text[(i + 1)..] : text[(i + 1)..end];
                if (end < 0 || Placeholders.All(p => p.Name != name))
                    throw LabException.Input($"{place}: expected one of {string.Join(", ", Placeholders.Select(p => $"{{{p.Name}}}"))}, not \"{{{name}{(end < 0 ? "" : "}")}\"; a brace itself is written twice");
                template._parts.Add((literal.ToString(), name));
                literal.Clear();
                i = end;
            }
            else if (c == '}')
            {
                throw LabException.Input($"{place}: '}}' at character {i + 1} closes nothing; a brace itself is written twice");
            }
            else
            {
                literal.Append(c);
            }
        }
        template._parts.Add((literal.ToString(), null));
        return template;
    }

    /// <summary>The command line with every placeholder filled in.</summary>
    internal string Expand(IReadOnlyDictionary<string, string> values) =>
        string.Concat(_parts.Select(p => p.Literal + (p.Placeholder is null ? "" : values[p.Placeholder])));
}
