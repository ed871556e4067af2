using FlannelFast.Control.Backends.Extension;

namespace FlannelFast.Control.Tests.Backends.Extension;

public sealed class CommandTemplateTests
{
    private static readonly Dictionary<string, string> s_variables = new() { ["SUBNET"] = "10.5.2.0/24", ["SPACE"] = "a b;c $SUBNET", ["_x1"] = "under" };

    /// <summary>Expected values are what Go's strings.Fields and os.Expand give.</summary>
    [Theory]
    [InlineData("ip route add $SUBNET", "ip|route|add|10.5.2.0/24")]
    [InlineData("  ip\troute\n\n add   ${SUBNET}x ", "ip|route|add|10.5.2.0/24x")]
    [InlineData("""sh -c "echo $SUBNET" """, """sh|-c|"echo|10.5.2.0/24" """)]
    [InlineData("echo $SPACE", "echo|a b;c $SUBNET")]
    [InlineData("echo $NONE|b ; c > d & `e` $(f)", "echo||b|;|c|>|d|&|`e`|$(f)")]
    [InlineData("a$_x1-${_x1}$", "aunder-under$")]
    [InlineData("$$ $1x $? $*a $ü", "|x||a|$ü")]
    [InlineData("${SUBNET ${} ${a-b}c", "SUBNET||c")]
    [InlineData("'$SUBNET'", "'10.5.2.0/24'")]
    public void Words_are_split_before_variables_are_replaced(string text, string expected)
    {
        List<string> words = new CommandTemplate("SubnetAddCommand", text).Expand(name => s_variables.GetValueOrDefault(name));
        Assert.Equal(expected.TrimEnd(), string.Join('|', words));
    }

    [Theory, InlineData("", true), InlineData(" \t", true), InlineData("x", false)]
    public void An_empty_command_is_none(string text, bool empty) => Assert.Equal(empty, new CommandTemplate("", text).IsEmpty);
}
