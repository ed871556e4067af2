using FlannelFast.Control.Firewall;

namespace FlannelFast.Daemon.Tests.Flanneld.Hosting;

/// <summary>A firewall that does as it is told.</summary>
internal sealed class ScriptedFirewall(Action<string> happened) : IFirewall
{
    public string Mode => "scripted";

    public string? Refusal { get; set; }

    public Task<IReadOnlyList<string>> EnsureAsync(RuleSet rules, bool isStart, CancellationToken cancel)
    {
        if (Refusal is not null) throw new FirewallException(Refusal);
        if (isStart && rules is { Subnet: { } subnet }) happened($"rules for {subnet}");
        return Task.FromResult<IReadOnlyList<string>>([]);
    }

    public Task<IReadOnlyList<string>> RemoveAsync(RuleSet rules, CancellationToken cancel) => Task.FromResult<IReadOnlyList<string>>([]);
}
