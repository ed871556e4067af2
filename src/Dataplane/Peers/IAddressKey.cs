namespace FlannelFast.Dataplane.Peers;

/// <summary>What <see cref="AddressMap{TKey}"/> asks of its keys. Implemented by structs, so calls are direct.</summary>
/// <typeparam name="TSelf">The implementing struct.</typeparam>
internal interface IAddressKey<TSelf> where TSelf : struct, IAddressKey<TSelf>
{
    /// <summary>Equality of all bits.</summary>
    static abstract bool Same(TSelf a, TSelf b);

    /// <summary>A hash whose high bits depend on all bits of the key and on both seeds.</summary>
    static abstract ulong Hash(TSelf key, ulong seed, ulong multiplier);
}
