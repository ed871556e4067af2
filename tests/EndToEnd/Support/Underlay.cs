namespace FlannelFast.EndToEnd.Support;

/// <summary>What joins the two nodes.</summary>
internal enum Underlay
{
    /// <summary>veth as it comes: super-packets cross it whole and no checksum is ever computed.</summary>
    Veth,

    /// <summary>
    /// What a plain network card does: everything is cut into MTU-sized packets before "the wire", checksums are complete there,
    /// and the receiver merges again.
    /// </summary>
    WireLike,
}
