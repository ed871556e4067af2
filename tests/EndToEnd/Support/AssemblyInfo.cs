// One at a time: the tests share two cores with the daemons they measure, and a packet lost to a busy neighbour proves nothing.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
