using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Dataplane.Tests.Engine;

public class LoadMeterTests
{
    [Fact]
    public void AFewHeavyBurstsMakeItBusy()
    {
        LoadMeter meter = default;
        for (int i = 1; i < LoadMeter.HeavyBursts; i++) Assert.False(meter.Note(heavy: true));
        Assert.False(meter.IsBusy);
        Assert.True(meter.Note(heavy: true));
        Assert.True(meter.IsBusy);
        Assert.False(meter.Note(heavy: true));
    }

    [Fact]
    public void LightBurstsBetweenHeavyOnesChangeNothing()
    {
        LoadMeter meter = default;
        for (int i = 0; i < LoadMeter.HeavyBursts; i++)
        {
            for (int light = 1; light < LoadMeter.LightBursts; light++) Assert.False(meter.Note(heavy: false));
            meter.Note(heavy: true);
        }
        Assert.True(meter.IsBusy);
        for (int light = 1; light < LoadMeter.LightBursts; light++) Assert.False(meter.Note(heavy: false));
        Assert.False(meter.Note(heavy: true));
        Assert.True(meter.IsBusy);
    }

    [Fact]
    public void ManyLightBurstsInARowMakeItIdleOnce()
    {
        LoadMeter meter = default;
        for (int i = 0; i < LoadMeter.HeavyBursts; i++) meter.Note(heavy: true);
        int changes = 0;
        for (int light = 0; light < 3 * LoadMeter.LightBursts; light++)
        {
            if (meter.Note(heavy: false)) changes++;
        }
        Assert.Equal(1, changes);
        Assert.False(meter.IsBusy);
    }

    [Fact]
    public void HeavyBurstsFromBeforeALullDoNotCount()
    {
        LoadMeter meter = default;
        for (int i = 1; i < LoadMeter.HeavyBursts; i++) meter.Note(heavy: true);
        for (int light = 0; light < LoadMeter.LightBursts; light++) meter.Note(heavy: false);
        Assert.False(meter.Note(heavy: true));
        Assert.False(meter.IsBusy);
    }
}
