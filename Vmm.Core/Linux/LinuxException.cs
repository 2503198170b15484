using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>A system call failed while the host side was being set up. The message names the call, its object and errno.</summary>
public sealed class LinuxException : IOException
{
    public LinuxException(string call, string subject, int errno, string? advice = null)
        : base($"{call} on {subject} failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}).{(advice is null ? "" : " " + advice)}")
    {
        Call = call;
        Subject = subject;
        Errno = errno;
        Advice = advice;
    }

    /// <summary>The C name of the call, with the request for an ioctl: <c>ioctl(KVM_CREATE_VM)</c>.</summary>
    public string Call { get; }

    /// <summary>What the call was made on: a path, an interface, "guest memory of 256 MiB".</summary>
    public string Subject { get; }

    public int Errno { get; }

    /// <summary>What the user can do about it, or null.</summary>
    public string? Advice { get; }

    /// <summary>Passes a result of 0 or more through; otherwise throws with the current errno.</summary>
    public static int ThrowIfFailed(int result, string call, string subject, string? advice = null)
        => result >= 0 ? result : throw new LinuxException(call, subject, LibC.errno, advice);
}
