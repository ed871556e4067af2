using System.Net;
using FlannelFast.Control.Subnets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tests.Subnets;

public sealed class SubnetAllocatorTests
{
    [Theory]
    [InlineData("10.5.0.0/22", 24, "10.5.1.0", "10.5.3.0", "", "10.5.1.0/24 10.5.2.0/24 10.5.3.0/24")]
    [InlineData("10.5.0.0/22", 24, "10.5.0.0", "10.5.2.0", "", "10.5.0.0/24 10.5.1.0/24 10.5.2.0/24")]
    [InlineData("10.5.0.0/22", 24, "10.5.1.0", "10.5.3.0", "10.5.2.0/24", "10.5.1.0/24 10.5.3.0/24")]
    [InlineData("10.5.0.0/22", 24, "10.5.1.0", "10.5.3.0", "10.5.3.128/25 10.5.1.7/32", "10.5.2.0/24")]
    [InlineData("10.5.0.0/22", 24, "10.5.1.0", "10.5.3.0", "10.5.2.0/23", "10.5.1.0/24")]
    [InlineData("10.5.0.0/22", 24, "10.5.1.0", "10.5.3.0", "10.5.0.0/22 10.5.1.0/24", "")]
    [InlineData("10.5.0.0/22", 24, "10.5.3.0", "10.5.1.0", "", "")]
    [InlineData("255.255.252.0/22", 24, "255.255.253.0", "255.255.255.0", "255.255.254.0/24", "255.255.253.0/24 255.255.255.0/24")]
    [InlineData("255.255.252.0/22", 24, "255.255.253.0", "255.255.255.0", "255.255.254.0/23", "255.255.253.0/24")]
    [InlineData("fc00::/62", 64, "fc00:0:0:1::", "fc00:0:0:3::", "fc00:0:0:2::/64 10.0.0.0/8", "fc00:0:0:1::/64 fc00:0:0:3::/64")]
    [InlineData("fc00::/8", 126, "fc80::", "fcff:ffff:ffff:ffff:ffff:ffff:ffff:fffc", "fc00::/9 fc80::/10 fcc0::/11 fce0::/12 fcf0::/12", "")]
    public void Free_is_what_nobody_touches(string network, int length, string min, string max, string taken, string expected)
    {
        var family = new FamilyConfig(IPNetwork.Parse(network), length, IPAddress.Parse(min), IPAddress.Parse(max));
        IEnumerable<Prefix> obstacles = taken.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(text => Prefix.From(IPNetwork.Parse(text)));
        Assert.Equal(expected, string.Join(' ', SubnetAllocator.FindFree(family, obstacles, 100)));
    }

    [Fact]
    public void The_walk_agrees_with_looking_at_every_subnet()
    {
        var random = new Random(7);
        var family = new FamilyConfig(IPNetwork.Parse("10.5.0.0/16"), 24, IPAddress.Parse("10.5.3.0"), IPAddress.Parse("10.5.250.0"));
        for (int i = 0; i < 2000; i++)
        {
            var taken = new List<Prefix>();
            for (int n = random.Next(60); n > 0; n--)
            {
                int length = random.Next(18, 33);
                var any = new Prefix(false, 0, length);
                taken.Add(any with { First = (0x0a050000u + (uint)random.Next(65536)) & any.Mask });
            }
            int limit = random.Next(1, 260);
            var expected = new List<IPNetwork>();
            for (int third = 3; third <= 250 && expected.Count < limit; third++)
            {
                var subnet = IPNetwork.Parse($"10.5.{third}.0/24");
                if (!taken.Exists(prefix => prefix.Overlaps(Prefix.From(subnet)))) expected.Add(subnet);
            }
            Assert.Equal(expected, SubnetAllocator.FindFree(family, taken, limit));
        }
    }
}
