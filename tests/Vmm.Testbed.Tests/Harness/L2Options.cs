using System.Globalization;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>What a guest is like.</summary>
public sealed record L2Options
{
    /// <summary>bzImage, or vmlinux: the same kernel as ELF.</summary>
    public string Kernel { get; init; } = "bzImage";

    public int Cpus { get; init; } = 1;

    /// <summary>The TAP interface of its network card, if it has one.</summary>
    public Tap? Tap { get; init; }

    /// <summary>The kernel of L1 carries the card's frames.</summary>
    public bool Vhost { get; init; }

    /// <summary>A disk image in L1, whose file system is the guest's /.</summary>
    public string? Root { get; init; }

    /// <summary>The options of <c>l2 start</c>.</summary>
    public override string ToString()
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"--kernel {Kernel} --cpus {Cpus}");
        text += Tap is null ? "" : $" --tap {Tap.Name}";
        text += Vhost ? " --vhost" : "";
        return text + (Root is null ? "" : $" --disk {Root} --root");
    }
}
