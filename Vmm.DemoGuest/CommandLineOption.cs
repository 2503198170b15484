using System.Globalization;

namespace Vmm.DemoGuest;

/// <summary>What follows an option's name on the guest's command line.</summary>
internal enum OptionKind
{
    /// <summary>Nothing.</summary>
    Flag,

    /// <summary>A number, decimal or 0x hexadecimal, with an optional K, M or G.</summary>
    Number,

    /// <summary>An IPv4 address in dotted form.</summary>
    Address,

    /// <summary>SIZE@ADDRESS:INTERRUPT of a virtio-mmio device.</summary>
    Device,
}

/// <summary>One row of the guest's table of options.</summary>
/// <param name="Name">The option's name, with the = where a value follows.</param>
/// <param name="Kind">What follows the name.</param>
/// <param name="Destination">Where the value goes; unused for flags and devices.</param>
internal sealed record CommandLineOption(string Name, OptionKind Kind, int Destination = 0)
{
    /// <summary>Every option that the guest knows. Anything else on the command line is passed over.</summary>
    public static IReadOnlyList<CommandLineOption> All { get; } =
    [
        new("virtio_mmio.device=", OptionKind.Device),
        new("poll", OptionKind.Flag),
        new("exit=", OptionKind.Number, Variables.ExitValue),
        new("reset", OptionKind.Flag),
        new("triple", OptionKind.Flag),
        new("hang", OptionKind.Flag),
        new("crash", OptionKind.Flag),
        new("check=", OptionKind.Number, Variables.CheckSize),
        new("features=", OptionKind.Number, Variables.FeatureMask),
        new("queues=", OptionKind.Number, Variables.QueuePairLimit),
        new("ring=", OptionKind.Number, Variables.RingLimit),
        new("ip=", OptionKind.Address, Variables.Addresses),
        .. Enumerable.Range(1, GuestLayout.MaximumInterfaces - 1).Select(
            index => new CommandLineOption($"ip{index.ToString(CultureInfo.InvariantCulture)}=", OptionKind.Address, Variables.Addresses + (4 * index))),
    ];

    /// <summary>Bytes of a row in guest memory: address and length of the name, kind, destination.</summary>
    public const int RowSize = 16;

    /// <summary>The byte that is 1 when the option was given.</summary>
    public static int SeenFlag(string name)
    {
        for (int i = 0; i < All.Count; i++)
        {
            if (All[i].Name == name)
            {
                return Variables.OptionSeen + i;
            }
        }
        throw new ArgumentException($"The guest has no option '{name}'.", nameof(name));
    }
}
