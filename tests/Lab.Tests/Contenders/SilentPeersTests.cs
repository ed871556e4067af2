using FlannelFast.Lab.Contenders;

namespace FlannelFast.Lab.Tests.Contenders;

public sealed class SilentPeersTests
{
    [Fact]
    public void Steps_lead_from_any_number_to_any_other()
    {
        var peers = new SilentPeers();
        var there = new HashSet<int>();
        foreach (int count in new[] { 0, 999, 99_999, 5, 5, -1, 2001 })
        {
            foreach (SilentPeers.Step step in peers.Change(count))
            {
                Assert.InRange(step.Numbers.Count(), 1, 2000);
                foreach (int number in step.Numbers) Assert.True(step.Verb == "add" ? there.Add(number) : there.Remove(number));
            }
            Assert.Equal(Enumerable.Range(0, Math.Max(count, 0)), there.Order());
        }
    }

    [Fact]
    public void An_interrupted_change_knows_how_far_it_was()
    {
        var peers = new SilentPeers();
        Assert.Equal(2000, peers.Change(100_000).First().Numbers.Count());
        Assert.Equal([("del", 2000)], peers.Change(0).Select(s => (s.Verb, s.Numbers.Count())));
    }
}
