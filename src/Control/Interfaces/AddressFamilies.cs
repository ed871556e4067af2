namespace FlannelFast.Control.Interfaces;

/// <summary>The families the cluster's network config asks for.</summary>
[Flags]
internal enum AddressFamilies
{
    Ipv4 = 1,
    Ipv6 = 2,
    Both = Ipv4 | Ipv6,
}
