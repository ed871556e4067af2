using System.Diagnostics;
using System.Text.Json;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends.Extension;

/// <summary>The commands for the peers that one apply runs, and what came of them.</summary>
internal sealed class CommandRound
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(10);

    /// <summary>For all together: then the rest waits for the next round, so that a stop of the daemon does not wait for thousands of peers.</summary>
    private static readonly TimeSpan s_budget = TimeSpan.FromSeconds(10);

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly List<string> _failures = [];
    private bool _isSpent;

    internal List<string> Changes { get; } = [];

    /// <summary>False when the time is used up: what is left is for the next round.</summary>
    internal bool HasTime
    {
        get
        {
            _isSpent |= Stopwatch.GetElapsedTime(_started) > s_budget;
            return !_isSpent;
        }
    }

    /// <summary>Runs a command for one peer; nothing to run counts as done.</summary>
    /// <returns>False if it failed.</returns>
    internal bool TryRun(CommandTemplate command, LeasedSubnet subnet, LeaseAttributes attributes)
    {
        if (command.IsEmpty) return true;
        if (!TryReadData(attributes.BackendData, out string data))
        {
            _failures.Add($"lease {subnet}: its BackendData is no string, which extension hosts publish");
            return false;
        }
        try
        {
            CommandRunner.Run(command, new Dictionary<string, string> { ["SUBNET"] = $"{subnet.Ipv4}", ["PUBLIC_IP"] = $"{attributes.PublicIP}" }, data, s_deadline);
            return true;
        }
        catch (IOException refused)
        {
            _failures.Add($"lease {subnet}: {refused.Message}");
            return false;
        }
    }

    internal ApplyResult End()
    {
        if (_isSpent) _failures.Add($"the commands of one round took more than {s_budget.TotalSeconds} s; the others follow in the next");
        return new(Changes, _failures);
    }

    private static bool TryReadData(JsonElement json, out string data)
    {
        data = "";
        if (json.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return true;
        if (!GoJson.TryGetString(json, out string? text)) return false;
        data = text;
        return true;
    }
}
