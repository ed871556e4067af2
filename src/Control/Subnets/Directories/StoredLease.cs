namespace FlannelFast.Control.Subnets.Directories;

/// <summary>One file below <c>subnets/</c>.</summary>
/// <param name="File">Its content.</param>
/// <param name="IsReadable">False for what is no readable file; the name is taken all the same.</param>
internal sealed record StoredLease(LeaseFile File, bool IsReadable)
{
    internal RegistryEntry ToEntry(string key, TimeSpan? timeToLive) =>
        new(key, File.Value, timeToLive, IsReadable, File.CreateRevision, File.ModRevision, File.IsTruncated);
}
