namespace Vmm.Cli;

/// <summary>The value of <c>--memory</c>; <c>--help</c> shows the default as <see cref="ToString"/> writes it.</summary>
internal readonly record struct MemorySize(ulong Bytes)
{
    /// <summary>SPEC: physical addresses of x86-64 have 52 bits at most.</summary>
    public const ulong Most = 1ul << 52;

    public override string ToString() => $"{Bytes >> 20}M";
}
