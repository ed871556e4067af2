using System.Net;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Tunnels;

/// <summary>Who is believed to have a lane, when, and who is asked, on a clock that the tests move.</summary>
public sealed class LaneNeighboursTests : LaneNeighboursRig
{
    [Fact]
    public void Nobody_is_asked_before_a_packet_is_sent_there()
    {
        (Host one, Host two) = Pair();
        Pass(TimeSpan.FromMinutes(1));
        Assert.Equal((0, 0), (one.Sent, two.Sent));
        one.Use(2);
        Pass(LaneNeighbours.LookInterval + 4 * Step);
        Assert.Equal(("2", "1"), (one.Open, two.Open));
        // Question, answer that asks back, answer.
        Assert.Equal((2, 1), (one.Sent, two.Sent));
    }

    [Fact]
    public void They_are_kept_while_there_is_traffic_and_forgotten_after_it()
    {
        (Host one, Host two) = Pair();
        for (int i = 0; i < 600; i++)
        {
            one.Use(2);
            Pass(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(("2", "1"), (one.Open, two.Open));
        // Each says about one thing a second, and answers one.
        Assert.InRange(one.Sent, 600, 1400);
        Pass(2 * LaneNeighbours.IdleLimit);
        Assert.Equal(("", ""), (one.Open, two.Open));
        (one.Sent, two.Sent) = (0, 0);
        Pass(TimeSpan.FromHours(1));
        Assert.Equal((0, 0), (one.Sent, two.Sent));
        two.Use(1);
        Pass(LaneNeighbours.LookInterval + 4 * Step);
        Assert.Equal(("2", "1"), (one.Open, two.Open));
    }

    [Fact]
    public void A_stock_host_is_asked_ever_less_often_and_only_while_packets_are_sent_to_it()
    {
        Host one = Add(1, 2);
        one.Neighbours.Announce(true);
        for (int i = 0; i < 600; i++)
        {
            one.Use(2);
            Pass(TimeSpan.FromSeconds(1));
        }
        Assert.Equal("", one.Open);
        Assert.InRange(one.Sent, 10, 20);
        one.Sent = 0;
        Pass(TimeSpan.FromHours(1));
        Assert.InRange(one.Sent, 0, 1);
    }

    [Fact]
    public void One_that_closes_is_left_at_once_and_found_again_when_it_opens()
    {
        (Host one, Host two) = Met();
        two.Neighbours.Announce(false);
        Pass(Step);
        Assert.Equal("", one.Open);
        Pass(TimeSpan.FromMinutes(1), one);
        Assert.Equal("", one.Open);
        two.Neighbours.Announce(true);
        Pass(4 * Step);
        Assert.Equal(("2", "1"), (one.Open, two.Open));
    }

    /// <summary>It became stock, or its machine is off.</summary>
    [Fact]
    public void One_that_is_gone_without_a_word_is_given_up_in_time()
    {
        (Host one, _) = Met();
        Hosts.Remove(2);
        Pass(TimeSpan.FromSeconds(2), one);
        Assert.Equal("2", one.Open);
        Pass(TimeSpan.FromSeconds(2), one);
        Assert.Equal("", one.Open);
        one.Sent = 0;
        Pass(TimeSpan.FromMinutes(10), one);
        Assert.InRange(one.Sent, 5, 25);
    }

    [Fact]
    public void One_that_starts_anew_has_to_show_again_that_it_hears_us()
    {
        (Host one, _) = Met();
        Host another = Add(2, 1);
        another.Use(1);
        // Its lane is closed at first.
        another.Neighbours.Look();
        Assert.Equal("2", one.Open);
        another.Neighbours.Announce(true);
        Pass(LaneNeighbours.LookInterval + 4 * Step);
        Assert.Equal(("2", "1"), (one.Open, another.Open));
        Assert.Equal(2, one.Changes - 1);
    }

    /// <summary>Nobody can say that a host's lane is open who does not hear what is said to that host.</summary>
    [Fact]
    public void Who_does_not_know_our_number_is_not_believed()
    {
        Host one = Add(1, 2);
        one.Neighbours.Announce(true);
        foreach (ulong yours in (ulong[])[0, 1, ulong.MaxValue]) one.Neighbours.Hear(Device(2), new(true, false, yours, 7));
        Assert.Equal("", one.Open);
        // Neither is one that is no peer, or not the peer's device.
        int sent = one.Sent;
        foreach (string stranger in (string[])["10.5.3.0", "10.5.2.1", "192.0.2.2", "0.0.0.0", "255.255.255.255"])
            one.Neighbours.Hear(IPAddress.Parse(stranger), new(true, true, 0, 7));
        Assert.Equal((sent, ""), (one.Sent, one.Open));
    }

    /// <summary>Whoever has recorded what it said while its lane was open sends it again when it is closed, or when the host is stock.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void What_was_said_before_it_closed_is_not_believed_again(bool isStock)
    {
        (Host one, Host two) = Met();
        LaneHello[] said = Record(2, TimeSpan.FromSeconds(3));
        Assert.Contains(said, hello => hello.IsOpen);
        two.Neighbours.Announce(false);
        Pass(Step);
        if (isStock) Hosts.Remove(2);
        for (int i = 0; i < 100; i++)
        {
            foreach (LaneHello hello in said)
            {
                one.Neighbours.Hear(Device(2), hello);
                Assert.Equal("", one.Open);
            }
            one.Use(2);
            Pass(TimeSpan.FromMilliseconds(100));
            Assert.Equal("", one.Open);
        }
        if (isStock) return;
        two.Neighbours.Announce(true);
        Pass(4 * Step);
        Assert.Equal(("2", "1"), (one.Open, two.Open));
    }

    /// <summary>It had no time to say that it goes, and somebody goes on saying that it is there.</summary>
    [Theory, InlineData(1), InlineData(50), InlineData(1000)]
    public void Who_repeats_what_it_said_does_not_keep_one_that_is_gone(int everyMs)
    {
        (Host one, _) = Met();
        LaneHello[] said = Record(2, TimeSpan.FromSeconds(30));
        Hosts.Remove(2);
        long left = Time.GetTimestamp();
        for (int i = 0; i < 60_000 / everyMs; i++)
        {
            one.Neighbours.Hear(Device(2), said[^(1 + i % said.Length)]);
            if (i * everyMs % 1000 == 0) one.Use(2);
            Pass(TimeSpan.FromMilliseconds(everyMs));
            Assert.True(one.Open == "" || Time.GetElapsedTime(left) < TimeSpan.FromSeconds(11), $"believed after {Time.GetElapsedTime(left)}");
        }
        Assert.Equal("", one.Open);
        Assert.True(Time.GetElapsedTime(left) > TimeSpan.FromSeconds(30));
    }

    /// <summary>Old hellos, and hellos with numbers of somebody's own, cost the lane for a moment at most.</summary>
    [Fact]
    public void Who_repeats_or_alters_what_it_said_does_not_close_it_for_long()
    {
        var random = new Random(1);
        (Host one, Host two) = Met();
        LaneHello[] said = Record(2, TimeSpan.FromSeconds(30));
        for (int i = 0; i < 300; i++)
        {
            LaneHello hello = said[random.Next(said.Length)];
            one.Neighbours.Hear(Device(2), random.Next(4) switch
            {
                0 => hello,
                1 => hello with { IsOpen = false },
                2 => hello with { Mine = (ulong)random.NextInt64() | 1 },
                _ => hello with { Yours = (ulong)random.NextInt64() },
            });
            one.Use(2);
            two.Use(1);
            Pass(TimeSpan.FromSeconds(1) + LaneNeighbours.LookInterval + 4 * Step);
            Assert.Equal(("2", "1"), (one.Open, two.Open));
        }
    }

    [Fact]
    public void One_that_is_no_peer_any_more_is_forgotten()
    {
        (Host one, _) = Met();
        one.Table = Table(1, 3);
        one.Neighbours.Look();
        Assert.Equal("", one.Open);
    }

    [Fact]
    public void While_the_lane_is_closed_here_nobody_is_asked_but_everybody_is_answered()
    {
        (Host one, Host two) = Met();
        one.Neighbours.Announce(false);
        one.Sent = 0;
        Pass(TimeSpan.FromSeconds(10), two);
        Assert.InRange(one.Sent, 8, 13);
        Assert.Equal("", two.Open);
        // What was known long ago must be confirmed before it is used.
        IsLost = (_, _) => true;
        Pass(TimeSpan.FromSeconds(10));
        one.Neighbours.Announce(true);
        Assert.Equal("", one.Open);
    }

    /// <summary>A third of all hellos is lost, both ways, for ten minutes.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Losses_do_not_close_it(int seed)
    {
        var random = new Random(seed);
        (Host one, Host two) = Met();
        IsLost = (_, _) => random.Next(3) == 0;
        int open = 0;
        for (int i = 0; i < 600; i++)
        {
            one.Use(2);
            Pass(TimeSpan.FromSeconds(1));
            if (one.Open == "2" && two.Open == "1") open++;
        }
        Assert.InRange(open, 597, 600);
    }

    /// <summary>Whatever happens: who is believed to be open said so within the last seconds, and two that can talk agree soon.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6), InlineData(7), InlineData(8)]
    public void Among_many_that_come_and_go_nobody_is_believed_for_long(int seed)
    {
        const int count = 6;
        var random = new Random(seed);
        var isOpen = new bool[count + 1];
        var closed = new long[count + 1];
        for (int n = 1; n <= count; n++) Start(n);
        double loss = 0;
        IsLost = (_, _) => random.NextDouble() < loss;
        for (int second = 0; second < 400; second++)
        {
            int host = random.Next(1, count + 1);
            switch (random.Next(8))
            {
                case 0: Start(host); break;
                case 1: Set(host, true); break;
                case 2: Set(host, false); break;
                case 3: loss = random.Next(3) * 0.3; break;
            }
            foreach (Host used in Hosts.Values) used.Use(random.Next(1, count + 1));
            Pass(TimeSpan.FromSeconds(1));
            // What a host with a closed lane believes, it does not use, and does not believe any more when it opens it.
            foreach (Host believer in Hosts.Values.Where(host => isOpen[host.Number]))
            {
                foreach (int n in believer.OpenHosts.Where(n => !isOpen[n]))
                    Assert.True(Time.GetElapsedTime(closed[n]) <= TimeSpan.FromSeconds(4.2), $"{believer.Number} believes {n} after {Time.GetElapsedTime(closed[n])}");
            }
        }
        loss = 0;
        for (int n = 1; n <= count; n++) Set(n, true);
        for (int i = 0; i < 70; i++)
        {
            foreach (Host host in Hosts.Values) host.UseAll();
            Pass(TimeSpan.FromSeconds(1));
        }
        foreach (Host host in Hosts.Values) Assert.Equal(Enumerable.Range(1, count).Where(n => n != host.Number), host.OpenHosts);

        void Start(int number)
        {
            Add(number, [.. Enumerable.Range(1, count).Where(n => n != number)]);
            Set(number, false);
        }

        void Set(int number, bool open)
        {
            if (isOpen[number] && !open) closed[number] = Time.GetTimestamp();
            isOpen[number] = open;
            Hosts[number].Neighbours.Announce(open);
        }
    }

    /// <summary>Those who are many are spoken to less often.</summary>
    [Fact]
    public void Thousands_cost_no_more_than_some_hundred_hellos_a_second()
    {
        const int count = 3000;
        int sent = 0;
        PeerTable table = PeerTable.Build([IPNetwork.Parse("10.5.1.0/24")], [.. Enumerable.Range(0, count).Select(n => new Peer(new(new IPAddress([10, 6, (byte)(n / 32), (byte)(n % 32 * 8)]), 29), new([100, 64, (byte)(n / 256), (byte)n])))], null, 1);
        LaneNeighbours neighbours = null!;
        ulong[] numbers = new ulong[count];
        neighbours = new(Time, () => table, (_, _) => 0, (to, hello) =>
        {
            sent++;
            numbers[table.Find((uint)Prefix.ToNumber(to))] = hello.Mine;
        });
        neighbours.Announce(true);
        for (int n = 0; n < count; n++) neighbours.Hear(table.Peers[n].Subnet.BaseAddress, new(true, true, 0, 7));
        for (int n = 0; n < count; n++) neighbours.Hear(table.Peers[n].Subnet.BaseAddress, new(true, false, numbers[n], 7));
        Assert.Equal(count, neighbours.Open().Count);
        sent = 0;
        for (int look = 0; look < 60 * 5; look++)
        {
            Time.Advance(LaneNeighbours.LookInterval);
            neighbours.Look();
            for (int n = look % 50; n < count; n += 50) neighbours.Hear(table.Peers[n].Subnet.BaseAddress, new(true, false, numbers[n], 7));
        }
        Assert.Equal(count, neighbours.Open().Count);
        Assert.InRange(sent / 60, 200, 260);
    }

    /// <summary>A lease outlives the device that it was for by a day, before or after the one that its host has now.</summary>
    [Theory, InlineData(2, 9), InlineData(9, 2)]
    public void A_host_with_an_old_lease_is_found_where_it_is(int first, int second)
    {
        (Host one, Host two) = Pair();
        Peer[] leases = [new(new(Device(first), 24), new([192, 0, 2, 2])), new(new(Device(second), 24), new([192, 0, 2, 2]))];
        one.Table = PeerTable.Build([new(Device(1), 24)], leases, null, 1);
        one.Use(2);
        Pass(LaneNeighbours.LookInterval + 4 * Step);
        Assert.Equal(("2", "1"), (one.Open, two.Open));
    }

    /// <summary>It started anew with another subnet, and has nothing to say.</summary>
    [Theory, InlineData(0), InlineData(9)]
    public void A_host_that_has_moved_to_another_lease_is_found_again(int moved)
    {
        (Host one, _) = Met();
        Peer[] leases = [new(new(Device(2), 24), new([192, 0, 2, 2])), new(new(Device(moved), 24), new([192, 0, 2, 2]))];
        one.Table = PeerTable.Build([new(Device(1), 24)], leases, null, 1);
        Hosts.Remove(2);
        Add(moved, 1).Neighbours.Announce(true);
        for (int i = 0; i < 10; i++)
        {
            one.Use(moved);
            Pass(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(("2", "1"), (one.Open, Hosts[moved].Open));
    }

    /// <summary>The other one may have no lane.</summary>
    [Fact]
    public void What_a_host_said_is_not_counted_for_the_one_that_it_swapped_subnets_with()
    {
        (Host one, _) = Met();
        LaneHello[] said = Record(2, TimeSpan.FromSeconds(3));
        Peer[] leases = [new(new(Device(2), 24), new([192, 0, 2, 3])), new(new(Device(3), 24), new([192, 0, 2, 2]))];
        one.Table = PeerTable.Build([new(Device(1), 24)], leases, null, 1);
        foreach (LaneHello hello in said)
        {
            foreach (int device in (int[])[2, 3]) one.Neighbours.Hear(Device(device), hello);
            Assert.Equal("", one.Open);
        }
    }

    [Fact]
    public void A_change_is_told_once()
    {
        (Host one, _) = Met();
        Assert.Equal(1, one.Changes);
        Assert.False(one.Neighbours.HasChanged);
        Pass(TimeSpan.FromSeconds(30), one);
        Assert.Equal(1, one.Changes);
        Hosts[2].Neighbours.Announce(false);
        Pass(Step);
        Assert.Equal((2, true), (one.Changes, one.Neighbours.HasChanged));
    }
}
