namespace Vmm.Migration.Channels;

/// <summary>The part of a <see cref="MigrationUri"/> before its first colon.</summary>
public enum MigrationScheme
{
    /// <summary><c>unix:PATH</c>: a socket in the file system. Open files come through, unless something stands between.</summary>
    Unix,

    /// <summary><c>fd:N</c>: a descriptor that this process has inherited: a socket, a pipe, a file.</summary>
    Descriptor,

    /// <summary><c>exec:COMMAND</c>: the standard input, or output, of a command that /bin/sh runs.</summary>
    Command,

    /// <summary><c>file:PATH</c>.</summary>
    File,

    /// <summary><c>tcp:HOST:PORT</c>.</summary>
    Tcp,
}
