namespace Vmm.Core.Devices;

/// <summary>One device as the command line describes it, checked.</summary>
public abstract record DeviceOptions
{
    /// <summary>The device's name for management commands; null when none was given.</summary>
    public string? Id { get; init; }

    /// <summary>The option of the command line that makes one: <c>--net</c>.</summary>
    public abstract string OptionName { get; }

    /// <summary>As its option of the command line takes it, but for descriptors, whose numbers mean nothing elsewhere.</summary>
    public abstract string Format();
}
