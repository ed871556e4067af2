using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Tests.Flanneld.GoFlags;

public sealed class GoFlagSetTests
{
    private readonly GoFlagSet _set = new("prog", name => name == "gone" ? "it went" : null);
    private readonly TextFlag _text;
    private readonly BooleanFlag _switch;
    private readonly IntegerFlag _number;
    private readonly ListFlag _list;

    public GoFlagSetTests()
    {
        _text = _set.Add(new TextFlag("text", "absent", "a text"));
        _switch = _set.Add(new BooleanFlag("switch", false, "a switch"));
        _number = _set.Add(new IntegerFlag("some-number", 7, -10, 5000, "a number"));
        _list = _set.Add(new ListFlag("list", "a list"));
    }

    [Theory]
    [InlineData("-text", "v")]
    [InlineData("-text=v")]
    [InlineData("--text", "v")]
    [InlineData("--text=v")]
    public void The_four_ways_to_write_a_flag_are_one(params string[] words)
    {
        _set.Parse(words);
        Assert.Equal("v", _text.Value);
        Assert.True(_text.IsSet);
        Assert.False(_switch.IsSet);
    }

    [Theory]
    [InlineData("-text", "-switch", "-switch")]
    [InlineData("-text==", "=")]
    [InlineData("-text=a=b", "a=b")]
    [InlineData("-text=", "")]
    public void A_value_is_taken_as_it_stands(string first, string second, string? value = null)
    {
        if (value is null) _set.Parse([first]);
        else _set.Parse([first, second]);
        Assert.Equal(value ?? second, _text.Value);
        Assert.False(_switch.Value);
    }

    [Theory]
    [InlineData("-switch", true)]
    [InlineData("-switch=true", true)]
    [InlineData("--switch=1", true)]
    [InlineData("-switch=T", true)]
    [InlineData("-switch=TRUE", true)]
    [InlineData("-switch=True", true)]
    [InlineData("-switch=t", true)]
    [InlineData("-switch=0", false)]
    [InlineData("-switch=F", false)]
    [InlineData("-switch=f", false)]
    [InlineData("-switch=FALSE", false)]
    [InlineData("-switch=False", false)]
    [InlineData("-switch=false", false)]
    public void A_switch_takes_its_value_behind_an_equals_sign(string word, bool value)
    {
        _set.Parse([word]);
        Assert.Equal(value, _switch.Value);
        Assert.True(_switch.IsSet);
    }

    [Fact]
    public void The_word_behind_a_switch_ends_the_flags()
    {
        _set.Parse(["-switch", "true", "-text", "v"]);
        Assert.Equal((true, "absent"), (_switch.Value, _text.Value));
        Assert.Equal(["true", "-text", "v"], _set.Rest);
    }

    [Theory]
    [InlineData("--", "-text", "v")]
    [InlineData("-", "-text", "v")]
    [InlineData("word", "-text", "v")]
    [InlineData("", "-text", "v")]
    public void Flags_end_at_the_first_word_that_is_none(params string[] words)
    {
        _set.Parse(["-switch", .. words]);
        Assert.Equal("absent", _text.Value);
        Assert.Equal(words[0] == "--" ? words[1..] : words, _set.Rest);
    }

    [Fact]
    public void The_last_one_wins_and_a_list_keeps_all()
    {
        _set.Parse(["-text=a", "-list", "x", "-text=b", "--list=y", "-list=", "-some-number=0x10"]);
        Assert.Equal("b", _text.Value);
        Assert.Equal(["x", "y"], _list.Values);
        Assert.Equal(16, _number.Value);
    }

    [Theory]
    [InlineData("\"-nonsense\": expected a flag of prog; see \"prog -help\"", "-nonsense")]
    [InlineData("\"-nonsense\": expected a flag of prog; see \"prog -help\"", "--nonsense=1", "-switch")]
    [InlineData("\"-e\\u001b[2J\": expected a flag of prog; see \"prog -help\"", "-e\u001b[2J")]
    [InlineData("-gone: it went", "-gone")]
    [InlineData("\"---text\": expected a flag such as -iface=eth0", "---text")]
    [InlineData("\"-=v\": expected a flag such as -iface=eth0", "-=v")]
    [InlineData("-text: expected a value", "-text")]
    [InlineData("-switch: expected true or false, not \"yes\"", "-switch=yes")]
    [InlineData("-switch: expected true or false, not \"\"", "-switch=")]
    [InlineData("-some-number: expected a whole number from -10 to 5000, not \"5001\"", "-some-number", "5001")]
    [InlineData("-some-number: expected a whole number from -10 to 5000, not \"-switch\"", "-some-number", "-switch")]
    [InlineData("-some-number: expected a whole number from -10 to 5000, not \"\"", "-some-number=")]
    public void What_is_wrong_is_said_in_one_line(string message, params string[] words) =>
        Assert.Equal(message, Assert.Throws<GoFlagException>(() => _set.Parse(words)).Message);

    [Theory]
    [InlineData("-h")]
    [InlineData("-help")]
    [InlineData("--help")]
    public void Help_ends_the_reading(string word)
    {
        _set.Parse(["-switch", word, "-nonsense"]);
        Assert.True(_set.IsHelpWanted);
    }

    [Fact]
    public void The_environment_fills_in_what_the_command_line_leaves_out()
    {
        var variables = new Dictionary<string, string>
        {
            ["P_TEXT"] = "environment",
            ["P_SOME_NUMBER"] = "1_000",
            ["P_LIST"] = "one",
            ["P_SWITCH"] = "",
        };
        _set.Parse(["-text=command"]);
        Assert.Empty(_set.ReadEnvironment("P", variables.GetValueOrDefault));
        Assert.Equal(("command", 1000, false), (_text.Value, _number.Value, _switch.Value));
        Assert.Equal(["one"], _list.Values);
        Assert.False(_switch.IsSet);
    }

    [Fact]
    public void A_flag_set_to_its_default_is_set_for_the_environment()
    {
        _set.Parse(["-switch=false"]);
        Assert.Empty(_set.ReadEnvironment("P", name => name == "P_SWITCH" ? "true" : null));
        Assert.False(_switch.Value);
    }

    [Fact]
    public void A_bad_variable_is_reported_and_passed_over()
    {
        _set.Parse([]);
        string line = Assert.Single(_set.ReadEnvironment("P", name => name == "P_SOME_NUMBER" ? "many" : null));
        Assert.Equal("P_SOME_NUMBER is not used: -some-number: expected a whole number from -10 to 5000, not \"many\"", line);
        Assert.Equal((7, false), (_number.Value, _number.IsSet));
    }
}
