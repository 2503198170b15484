namespace Vmm.Core.Devices.VirtioRng;

/// <summary>The source of random numbers, <c>--rng on</c>.</summary>
public sealed record RngDeviceOptions : DeviceOptions
{
    /// <summary>Its id, as there is one only.</summary>
    public const string OnlyId = "rng0";

    /// <summary>What the command line and a manifest say for it.</summary>
    public const string Text = "on";

    public RngDeviceOptions() => Id = OnlyId;

    /// <inheritdoc/>
    public override string OptionName => "--rng";

    /// <inheritdoc/>
    public override string Format() => Text;
}
