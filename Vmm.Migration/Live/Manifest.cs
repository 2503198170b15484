namespace Vmm.Migration.Live;

/// <summary>All that the destination has to know before it can say whether it can take the machine over.</summary>
public sealed record Manifest
{
    /// <summary>The version of the protocol that this program speaks.</summary>
    public const int CurrentProtocol = 1;

    /// <summary>The version of the messages and their order.</summary>
    public int Protocol { get; init; } = CurrentProtocol;

    /// <summary>The source's program and version, for people.</summary>
    public required string Program { get; init; }

    /// <summary>The machine's type: what its memory map and its fixed devices are.</summary>
    public required string Machine { get; init; }

    /// <summary>The machine's name.</summary>
    public required string Name { get; init; }

    public required MemoryManifest Memory { get; init; }

    public required CpuManifest Cpus { get; init; }

    public required IReadOnlyList<DeviceManifest> Devices { get; init; }

    /// <summary>Every section of state that will come, in their order.</summary>
    public required IReadOnlyList<SectionManifest> Sections { get; init; }

    /// <summary>How long each step may take; both sides keep to it.</summary>
    public MigrationTimeouts Timeouts { get; init; } = new();

    /// <summary>The console, as <c>--console</c> has it.</summary>
    public required string Console { get; init; }
}
