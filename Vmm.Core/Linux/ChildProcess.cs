using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>
/// A process that this one has started. Unlike System.Diagnostics.Process it passes descriptors on and leaves the terminal and the signals
/// of this process as they are.
/// </summary>
public sealed unsafe class ChildProcess
{
    private const int WNOHANG = 1;
    private const int FileActionsSize = 80; // posix_spawn_file_actions_t of glibc on x86-64

    private int? _status;

    /// <param name="id">A child of this process.</param>
    public ChildProcess(int id) => Id = id;

    public int Id { get; }

    /// <summary>The signal that has killed it; null for one that lives, or has ended of itself.</summary>
    public int? KillingSignal { get; private set; }

    /// <summary>Starts a program with this process's environment, standard descriptors and working directory.</summary>
    /// <param name="path">The file.</param>
    /// <param name="arguments">All of them, the program's name first.</param>
    /// <param name="descriptors">More open files: each gets the number of its place, from 3 on.</param>
    /// <exception cref="LinuxException">It can't be started; the message says what to do.</exception>
    public static ChildProcess Start(string path, IReadOnlyList<string> arguments, params IReadOnlyList<FileDescriptor> descriptors)
    {
        byte* actions = stackalloc byte[FileActionsSize];
        Check(Libc.posix_spawn_file_actions_init(actions), path);
        byte** environment = Strings([.. Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().Select(e => $"{e.Key}={e.Value}")]);
        byte** argv = Strings(arguments);
        byte* file = (byte*)Marshal.StringToCoTaskMemUTF8(path);
        List<FileDescriptor> copies = [];
        try
        {
            // ORDER: first out of the way of the numbers that they get, then to them; dup2 also clears close-on-exec.
            for (int i = 0; i < descriptors.Count; i++)
            {
                copies.Add(descriptors[i].Duplicate(3 + descriptors.Count));
                Check(Libc.posix_spawn_file_actions_adddup2(actions, copies[i].Number, 3 + i), path);
            }

            int pid;
            Check(Libc.posix_spawn(&pid, file, actions, null, argv, environment), path);
            return new ChildProcess(pid);
        }
        finally
        {
            copies.ForEach(copy => copy.Dispose());
            _ = Libc.posix_spawn_file_actions_destroy(actions);
            Marshal.FreeCoTaskMem((nint)file);
            Free(argv);
            Free(environment);
        }
    }

    /// <summary>Waits for its end: the exit code, or 128 and the signal's number, as shells have it.</summary>
    public int Wait()
    {
        int status;
        while (_status is null && Libc.waitpid(Id, &status, 0) is int result)
        {
            if (result == Id)
            {
                SetStatus(status);
            }
            else if (LibC.errno != LibC.EINTR)
            {
                _status = 128 + LibC.SIGKILL; // somebody else has reaped it
            }
        }

        return _status!.Value;
    }

    /// <summary>Has it waited for when it has ended, so that nothing is left of it.</summary>
    /// <param name="then">Called afterwards.</param>
    /// <returns>Ends when that is done.</returns>
    public Thread WaitInBackground(Action then)
    {
        Thread thread = new(
            () =>
            {
                Wait();
                then();
            },
            maxStackSize: 128 << 10)
        { Name = "child", IsBackground = true };
        thread.Start();
        return thread;
    }

    /// <summary>The same without waiting; null while it lives.</summary>
    public int? TryWait()
    {
        if (_status is null)
        {
            _ = Look();
        }

        return _status;
    }

    /// <summary>False while it is the child of another process, of which it may come to this one (PR_SET_CHILD_SUBREAPER).</summary>
    public bool IsOurs => _status is not null || Look();

    /// <summary>Any child of this process that has ended, whoever has started it.</summary>
    /// <returns>False when there is no child.</returns>
    public static bool TryWaitForAny(out ChildProcess? ended)
    {
        int status;
        int id = Libc.waitpid(-1, &status, WNOHANG);
        ended = id > 0 ? new ChildProcess(id) : null;
        ended?.SetStatus(status);
        return id >= 0;
    }

    /// <summary>Waits for its end, but not for long.</summary>
    public bool TryWait(TimeSpan limit)
    {
        long end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        while (TryWait() is null)
        {
            if (Environment.TickCount64 >= end)
            {
                return false;
            }

            Thread.Sleep(5);
        }

        return true;
    }

    /// <summary>Sends a signal, unless it has ended and been waited for.</summary>
    public void Signal(int number)
    {
        if (TryWait() is null)
        {
            _ = LibC.kill(Id, number);
        }
    }

    /// <summary>Whether it has ended, without waiting.</summary>
    /// <returns>False when it is no child of this process.</returns>
    private bool Look()
    {
        int status = 0;
        int result = Libc.waitpid(Id, &status, WNOHANG);
        if (result == Id)
        {
            SetStatus(status);
        }

        return result >= 0;
    }

    /// <param name="status">Of waitpid(2).</param>
    private void SetStatus(int status)
    {
        int signal = status & 0x7f;
        KillingSignal = signal == 0 ? null : signal;
        _status = signal == 0 ? (status >> 8) & 0xff : 128 + signal;
    }

    private static void Check(int error, string path)
    {
        if (error != 0)
        {
            throw new LinuxException("posix_spawn", path, error, error == LibC.ENOENT || error == LibC.EACCES ? "Give the path of a vmm binary." : null);
        }
    }

    private static byte** Strings(IReadOnlyList<string> texts)
    {
        byte** strings = (byte**)NativeMemory.AllocZeroed((nuint)texts.Count + 1, (nuint)sizeof(byte*));
        for (int i = 0; i < texts.Count; i++)
        {
            strings[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
        }

        return strings;
    }

    private static void Free(byte** strings)
    {
        for (byte** next = strings; *next is not null; next++)
        {
            Marshal.FreeCoTaskMem((nint)(*next));
        }

        NativeMemory.Free(strings);
    }
}
