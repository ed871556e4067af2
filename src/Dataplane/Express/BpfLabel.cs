namespace FlannelFast.Dataplane.Express;

/// <summary>A place in a program that is being written; two are the same only if they are one object.</summary>
internal sealed class BpfLabel;
