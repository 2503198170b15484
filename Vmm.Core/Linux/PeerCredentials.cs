using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>Who opened the other end of an AF_UNIX socket (unix(7), SO_PEERCRED): as the kernel knows it, not as the peer says.</summary>
/// <param name="ProcessId">Of the process that connected, or that listens; 0 from another process-id namespace.</param>
/// <param name="UserId">Its effective user then.</param>
public readonly record struct PeerCredentials(int ProcessId, uint UserId)
{
    /// <summary>Null for a socket of another family.</summary>
    public static unsafe PeerCredentials? Find(FileDescriptor socket)
    {
        int domain = 0;
        socklen_t size = sizeof(int);
        int* credentials = stackalloc int[3]; // struct ucred: pid, uid, gid
        if (LibC.getsockopt(socket.Number, LibC.SOL_SOCKET, LibC.SO_DOMAIN, &domain, &size) != 0 || domain != LibC.AF_UNIX)
        {
            return null;
        }

        size = 3 * sizeof(int);
        LinuxException.ThrowIfFailed(LibC.getsockopt(socket.Number, LibC.SOL_SOCKET, LibC.SO_PEERCRED, credentials, &size), "getsockopt(SO_PEERCRED)", $"fd {socket.Number}");
        return new PeerCredentials(credentials[0], (uint)credentials[1]);
    }

    /// <summary>This process's own user, or root.</summary>
    public bool IsTrusted => UserId == 0 || UserId == (uint)LibC.geteuid();

    /// <summary><c>socat (process 123, user 1000)</c>.</summary>
    public override string ToString()
    {
        string name = "a process";
        try
        {
            name = File.ReadAllText($"/proc/{ProcessId}/comm").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has gone, or is in another namespace.
        }

        return $"{name} (process {ProcessId}, user {UserId})";
    }
}
