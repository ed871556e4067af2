namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// Tells a worker busy with bulk traffic from any other. Changes slowly, because a change costs a system call and an idle round trip is
/// faster without real-time scheduling: a few heavy bursts make it busy, many light ones in a row make it idle again.
/// </summary>
internal struct LoadMeter
{
    /// <summary>Heavy bursts, without <see cref="LightBursts"/> light ones between them, that make a worker busy.</summary>
    internal const int HeavyBursts = 4;

    /// <summary>Light bursts in a row after which heavy ones are forgotten.</summary>
    internal const int LightBursts = 256;

    private int _heavy;
    private int _light;

    /// <summary>True between <see cref="HeavyBursts"/> heavy bursts and <see cref="LightBursts"/> light ones.</summary>
    internal readonly bool IsBusy => _heavy == HeavyBursts;

    /// <summary>Takes one burst that found something to do into account. Returns true if <see cref="IsBusy"/> changed.</summary>
    internal bool Note(bool heavy)
    {
        bool before = IsBusy;
        if (heavy)
        {
            _light = 0;
            if (_heavy < HeavyBursts) _heavy++;
        }
        else if (++_light >= LightBursts)
        {
            _light = _heavy = 0;
        }
        return IsBusy != before;
    }
}
