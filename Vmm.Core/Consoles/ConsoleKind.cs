namespace Vmm.Core.Consoles;

/// <summary>Where a serial port leads on the host.</summary>
public enum ConsoleKind
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>This process's standard input and output; a terminal is put in raw mode.</summary>
    Stdio,

    /// <summary>A file that is overwritten; no input.</summary>
    File,

    /// <summary>A pseudo-terminal, for screen or picocom.</summary>
    Pty,

    /// <summary>A listening UNIX socket, one client at a time.</summary>
    UnixSocket,
}
