namespace FlannelFast.Lab.Statistics;

/// <summary>
/// Finds the highest rate with acceptable loss by bisection (RFC 2544 section 26.1, with a limit on
/// loss instead of none at all). Every found rate is confirmed: on a shared machine one lucky trial is no throughput.
/// </summary>
internal sealed class RateSearch
{
    /// <summary>Lowest rate worth asking for, per second.</summary>
    internal required long Lowest { get; init; }

    /// <summary>Highest rate, per second.</summary>
    internal required long Highest { get; init; }

    /// <summary>Greatest share lost, 0 to below 1.</summary>
    internal double MaxLoss { get; init; } = 0.001;

    /// <summary>The search ends when passing and failing rate are this close, as a share of the rate.</summary>
    internal double Resolution { get; init; } = 0.02;

    /// <summary>Trials at most, confirmations included.</summary>
    internal int MaxTrials { get; init; } = 30;

    /// <summary>How often a found rate must pass again.</summary>
    internal int Confirmations { get; init; } = 2;

    /// <summary>Searches.</summary>
    /// <param name="trial">Offers a rate and says the share lost.</param>
    internal RateSearchResult Run(Func<long, double> trial)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Lowest, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Highest, Lowest);
        State state = new(this, trial);
        while (state.CanTry)
        {
            if (!state.Bisect()) return state.Result(confirmed: false);
            if (state.Passing == 0) return state.Result(confirmed: false);
            if (state.Confirm()) return state.Result(confirmed: true);
        }
        return state.Result(confirmed: false);
    }

    private sealed class State(RateSearch search, Func<long, double> trial)
    {
        private readonly List<RateTrial> _trials = [];
        private long _failing = long.MaxValue;
        private long _retreat;

        /// <summary>Highest rate that passed and was not refuted; 0 if none.</summary>
        internal long Passing { get; private set; }

        internal bool CanTry => _trials.Count < search.MaxTrials;

        /// <summary>Narrows until passing and failing rate are close. False when the trials ran out before.</summary>
        internal bool Bisect()
        {
            while (Next() is { } rate)
            {
                if (!CanTry) return false;
                if (Passes(rate)) Passing = rate;
                else _failing = rate;
            }
            return true;
        }

        /// <summary>Tries the found rate again. One failure refutes it and the search goes on below.</summary>
        internal bool Confirm()
        {
            for (int i = 0; i < search.Confirmations; i++)
            {
                if (!CanTry) return false;
                if (Passes(Passing)) continue;
                _failing = Passing;
                // The limit moves or the bisection was lucky all the way: go down by growing steps, not by one resolution at a time.
                _retreat = _retreat == 0 ? Step(Passing) * 2 : _retreat * 2;
                long below = Math.Max(search.Lowest, Passing - _retreat);
                Passing = 0;
                if (below < _failing && CanTry && Passes(below)) Passing = below;
                else if (below < _failing) _failing = below;
                return false;
            }
            return true;
        }

        internal RateSearchResult Result(bool confirmed)
        {
            double loss = _trials.Where(t => t.Rate == Passing && t.Passed).Max(t => (double?)t.Loss) ?? 1;
            return new RateSearchResult(Passing, loss, confirmed, Passing == search.Highest, _trials);
        }

        // The first question is the highest rate: many paths are not the limit, and it brackets the rest.
        private long? Next()
        {
            if (_failing == long.MaxValue) return Passing == search.Highest ? null : search.Highest;
            if (_failing <= search.Lowest) return null;
            long low = Passing == 0 ? search.Lowest : Passing;
            if (Passing != 0 && _failing - Passing <= Step(_failing)) return null;
            // Over several orders of magnitude the geometric middle is the fair one.
            long middle = (long)Math.Sqrt((double)low * _failing);
            return Passing == 0 && (middle <= low || _failing - low <= Step(_failing)) ? search.Lowest : Math.Clamp(middle, low + 1, _failing - 1);
        }

        private long Step(long rate) => Math.Max(1, (long)(rate * search.Resolution));

        private bool Passes(long rate)
        {
            double loss = trial(rate);
            if (!(loss is >= 0 and <= 1)) throw new InvalidOperationException($"a trial at {rate}/s says that {loss} of it was lost");
            bool passed = loss <= search.MaxLoss;
            _trials.Add(new RateTrial(rate, loss, passed));
            return passed;
        }
    }
}
