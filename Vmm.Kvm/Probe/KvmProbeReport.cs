namespace Vmm.Kvm.Probe;

/// <summary>What <see cref="KvmProbe"/> has found.</summary>
/// <param name="DevicePath">The device node that was opened.</param>
public sealed record KvmProbeReport(string DevicePath)
{
    /// <summary>True when machines can be made.</summary>
    public bool IsUsable => Error is null;

    /// <summary>One sentence, or null when all is well.</summary>
    public string? Error { get; init; }

    /// <summary>What to do about the error, or null.</summary>
    public string? Advice { get; init; }

    /// <summary>KVM_GET_API_VERSION; 0 when the device could not be opened.</summary>
    public int ApiVersion { get; init; }

    /// <summary>Null when the device could not be opened.</summary>
    public KvmKind? Kind { get; init; }

    /// <summary>What this kind can't do, or null.</summary>
    public string? Limitation { get; init; }

    /// <summary>The most vCPUs of one machine; 0 when the device could not be opened.</summary>
    public int MaxCpuCount { get; init; }

    /// <summary>The required capabilities, then the optional ones.</summary>
    public IReadOnlyList<KvmCapabilityReport> Capabilities { get; init; } = [];
}
