#if !NET10_0_OR_GREATER
namespace FlannelFast;

/// <summary>
/// Select, SelectMany and Where as plain iterators. Every namespace below this one takes them instead of System.Linq's, which stay farther away.
/// </summary>
/// <remarks>
/// .NET 10 has the same under a switch that ahead-of-time publishing turns on by itself (UseSizeOptimizedLinq); this file is for net9.0.
/// There, Iterator&lt;T&gt;.Select is a generic virtual method: the compiler generates every iterator of every value type T that occurs
/// anywhere, for every value type that anything is projected to. That was 4.9 of the binary's 20.9 MB.
/// </remarks>
internal static class SizeOptimizedEnumerable
{
    internal static IEnumerable<TSource> Where<TSource>(this IEnumerable<TSource> source, Func<TSource, bool> predicate)
    {
        foreach (TSource item in source)
        {
            if (predicate(item)) yield return item;
        }
    }

    internal static IEnumerable<TResult> Select<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, TResult> selector)
    {
        foreach (TSource item in source) yield return selector(item);
    }

    internal static IEnumerable<TResult> Select<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, int, TResult> selector)
    {
        int index = 0;
        foreach (TSource item in source) yield return selector(item, index++);
    }

    internal static IEnumerable<TResult> SelectMany<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, IEnumerable<TResult>> selector)
    {
        foreach (TSource item in source)
        {
            foreach (TResult result in selector(item)) yield return result;
        }
    }
}
#endif
