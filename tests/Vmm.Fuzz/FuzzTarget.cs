namespace Vmm.Fuzz;

/// <summary>Something that takes bytes from outside. What it throws, a fuzzer reports.</summary>
internal abstract class FuzzTarget
{
    public abstract string Name { get; }

    /// <summary>Inputs to begin with: name and bytes.</summary>
    public abstract IEnumerable<(string Name, byte[] Bytes)> Seeds { get; }

    /// <summary>One input, from a clean state.</summary>
    public abstract void Run(ReadOnlySpan<byte> input);
}
