namespace FlannelFast.Control.Backends;

/// <summary>A backend that a type stands for on this host.</summary>
/// <param name="Prepare">Makes it.</param>
/// <param name="DataPath">Who carries the packets, and for vxlan why: "packet engine, because …". For <c>status</c>.</param>
internal sealed record BackendChoice(BackendFactory Prepare, string DataPath);
