using FlannelFast.Lab.Profiling;

namespace FlannelFast.Lab.Tests.Profiling;

public sealed class ProfilerTests
{
    [Fact]
    public void A_file_is_named_by_workload_and_contender_and_stays_in_the_directory()
    {
        Profiler profiler = new("/nowhere");
        Assert.Equal("tcp-1.udp-coalesce=off,queues=2", profiler.FileName("tcp-1", "udp:coalesce=off,queues=2"));
        Assert.Equal("tcp-1.udp-binary=-..-..-etc-x", profiler.FileName("tcp-1", "udp:binary=/../../etc/x"));
        // Two that differ only in what is replaced.
        Assert.Equal("tcp-1.udp-binary=-..-..-etc-x-2", profiler.FileName("tcp-1", "udp/binary=/../../etc/x"));
        Assert.InRange(profiler.FileName("tcp-1", new string('ä', 5000)).Length, 100, 200);
    }

    [Theory]
    [InlineData("Error:\nAccess to performance monitoring and observability operations is limited.\nConsider adjusting …\n", "Access to performance monitoring and observability operations is limited")]
    [InlineData("recording\n[ perf record: Woken up 1 times to write data ]\nfailed to write perf data, error: No space left on device\n", "failed to write perf data, error: No space left on device")]
    [InlineData("\n", "it said nothing")]
    public void Of_what_perf_complains_the_first_line_with_a_reason_is_told(string output, string complaint) => Assert.Equal(complaint, Perf.Complaint(output));

    [Fact]
    public void A_directory_that_cannot_be_made_is_refused()
    {
        LabException refused = Assert.Throws<LabException>(() => new Profiler("/proc/self/status/x").MakeDirectory());
        Assert.True(refused.IsInput);
        Assert.StartsWith("--profile: expected a directory that can be made or is there: ", refused.Message, StringComparison.Ordinal);
    }
}
