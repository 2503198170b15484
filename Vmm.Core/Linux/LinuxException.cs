using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>A system call failed while the host side was being set up. The message names the call, its object and errno.</summary>
public sealed class LinuxException : IOException
{
    /// <summary>What to do about EMFILE, whatever the call was.</summary>
    public const string FilesAdvice = "Too many files are open in this process; raise the limit: ulimit -n 4096.";

    /// <summary>What to do when there can't be another thread.</summary>
    public const string ThreadAdvice = "This user or control group may have no more threads: raise the limit with ulimit -u, or the container's pids limit.";

    /// <param name="call">See <see cref="Call"/>.</param>
    /// <param name="subject">See <see cref="Subject"/>.</param>
    /// <param name="errno">A number of errno(3).</param>
    /// <param name="advice">See <see cref="Advice"/>; of EMFILE it is always <see cref="FilesAdvice"/>.</param>
    public LinuxException(string call, string subject, int errno, string? advice = null)
        : base($"{call} on {subject} failed: {Describe(errno)}.{(ForAny(errno, advice) is { } text ? " " + text : "")}")
    {
        Call = call;
        Subject = subject;
        Errno = errno;
        Advice = ForAny(errno, advice);
    }

    /// <summary>The C name of the call, with the request for an ioctl: <c>ioctl(KVM_CREATE_VM)</c>.</summary>
    public string Call { get; }

    /// <summary>What the call was made on: a path, an interface, "guest memory of 256 MiB".</summary>
    public string Subject { get; }

    public int Errno { get; }

    /// <summary>What the user can do about it, or null.</summary>
    public string? Advice { get; }

    /// <summary>An errno as people know it: <c>Broken pipe (errno 32)</c>.</summary>
    public static string Describe(int errno) => $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";

    /// <summary>Passes a result of 0 or more through; otherwise throws with the current errno.</summary>
    public static int ThrowIfFailed(int result, string call, string subject, string? advice = null)
        => result >= 0 ? result : throw new LinuxException(call, subject, LibC.errno, advice);

    private static string? ForAny(int errno, string? advice) => errno == LibC.EMFILE ? FilesAdvice : advice;
}
