namespace Vmm.Core.Linux;

/// <summary>What lies behind a descriptor (stat(2), st_mode).</summary>
public enum DescriptorKind
{
    /// <summary>A regular file.</summary>
    File,

    /// <summary>A character or block device.</summary>
    Device,

    Pipe,

    /// <summary>A stream socket that is connected.</summary>
    Socket,

    /// <summary>A stream socket that listens.</summary>
    Listener,

    /// <summary>Anything that bytes don't go through: a folder, a socket of datagrams, an epoll instance.</summary>
    Other,
}
