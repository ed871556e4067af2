namespace FlannelFast.Dataplane.Express;

/// <summary>The two ways through the lane; the numbers are indices in its maps.</summary>
internal enum LaneDirection
{
    Egress = 0,
    Ingress = 1,
}
