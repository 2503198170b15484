namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>The last byte of a request (virtio 1.2 section 5.2.6).</summary>
internal enum BlockStatus : byte
{
    Ok = 0,
    IoError = 1,
    Unsupported = 2,

    /// <summary>None, and never seen by a driver: the request was broken off and will be done again.</summary>
    BrokenOff = 0xff,
}
