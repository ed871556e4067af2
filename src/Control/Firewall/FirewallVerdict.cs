namespace FlannelFast.Control.Firewall;

/// <summary>What a rule does with a packet.</summary>
internal enum FirewallVerdict
{
    /// <summary>Back to the chain that jumped here; the end, as far as the chain is concerned.</summary>
    Return,

    /// <summary>Lets it pass the hook.</summary>
    Accept,

    /// <summary>Gives it the address of the interface it leaves by as source.</summary>
    Masquerade,

    /// <summary>Goes on in another chain.</summary>
    Jump,
}
