namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>A file or device can't be a disk; the message says why, and what to do.</summary>
public sealed class DiskImageException(string message) : IOException(message);
