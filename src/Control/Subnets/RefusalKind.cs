namespace FlannelFast.Control.Subnets;

/// <summary>What about a key of a registry cannot be used.</summary>
internal enum RefusalKind
{
    /// <summary>Its name is no subnet.</summary>
    Key,

    /// <summary>Its value says no attributes.</summary>
    Value,

    /// <summary>The lease breaks a rule of the network.</summary>
    Lease,

    /// <summary>The lease contradicts one that was there before.</summary>
    Conflict,
}
