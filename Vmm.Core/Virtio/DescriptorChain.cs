namespace Vmm.Core.Virtio;

/// <summary>A descriptor chain that was taken from the available ring; its buffers are in the scatter lists that were given to the pop.</summary>
/// <param name="Head">The index to hand back in the used ring.</param>
/// <param name="ReadableCount">How many device-readable ranges it added.</param>
/// <param name="WritableCount">How many device-writable ranges it added.</param>
/// <param name="ReadableBytes">Bytes in the device-readable ranges.</param>
/// <param name="WritableBytes">Bytes in the device-writable ranges.</param>
public readonly record struct DescriptorChain(ushort Head, ushort ReadableCount, ushort WritableCount, uint ReadableBytes, uint WritableBytes);
