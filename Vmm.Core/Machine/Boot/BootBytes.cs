namespace Vmm.Core.Machine.Boot;

internal sealed class BootBytes(string name, ReadOnlyMemory<byte> bytes) : BootImage(name)
{
    public override ulong Length => (ulong)bytes.Length;

    public override void Read(ulong offset, scoped Span<byte> target)
    {
        if (offset > Length || (ulong)target.Length > Length - offset)
        {
            throw new BootException(Name, $"it ends at byte {Length}, before the {target.Length} bytes at offset {offset}", "The image is cut off: build it again.");
        }

        bytes.Span.Slice((int)offset, target.Length).CopyTo(target);
    }
}
