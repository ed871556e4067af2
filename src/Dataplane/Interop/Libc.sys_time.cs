namespace FlannelFast.Dataplane.Interop;

internal struct timeval
{
    internal long tv_sec;
    internal long tv_usec;
}
