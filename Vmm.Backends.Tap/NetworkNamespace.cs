using System.Runtime.ExceptionServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Backends.Tap;

/// <summary>
/// A fresh network namespace and one thread that lives in it; the rest of the process stays where it was. What is opened in
/// <see cref="Run(Action)"/> (sockets, TAPs) belongs to the namespace and works from every thread. The kernel removes the namespace, with all
/// interfaces in it, after <see cref="Dispose"/> and when the last such descriptor is closed.
/// </summary>
/// <remarks>
/// A thread that is started inside Run inherits the namespace, and so would a worker of the thread pool: no tasks, timers or
/// asynchronous calls there.
/// </remarks>
public sealed class NetworkNamespace : IDisposable
{
    private readonly Lock _callers = new();
    private readonly SemaphoreSlim _request = new(0);
    private readonly SemaphoreSlim _done = new(0);
    private readonly Thread _thread;

    private Action? _work;
    private Exception? _failure;
    private bool _disposed;

    private NetworkNamespace(string name)
    {
        _thread = new Thread(Loop, 256 * 1024) { Name = name, IsBackground = true };
        _work = Enter;
        _thread.StartOrExplain();
        _done.Wait();
    }

    /// <summary>Makes one, its loopback interface up.</summary>
    /// <param name="name">The thread's name.</param>
    /// <exception cref="LinuxException">EPERM without CAP_SYS_ADMIN: see <see cref="UserNamespace"/>.</exception>
    public static NetworkNamespace Create(string name = "netns")
    {
        NetworkNamespace created = new(name);
        if (created._failure is { } failure)
        {
            created.Dispose();
            ExceptionDispatchInfo.Throw(failure);
        }

        return created;
    }

    /// <summary>Runs it on the namespace's thread and waits; an exception comes through.</summary>
    public T Run<T>(Func<T> function)
    {
        T result = default!;
        Run(() => { result = function(); });
        return result;
    }

    /// <summary>Runs it on the namespace's thread and waits; an exception comes through.</summary>
    public void Run(Action action)
    {
        if (Thread.CurrentThread == _thread)
        {
            action();
            return;
        }

        lock (_callers)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _work = action;
            _failure = null;
            _request.Release();
            _done.Wait();
            if (_failure is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }
        }
    }

    public void Dispose()
    {
        lock (_callers)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _work = null;
            _request.Release();
        }

        _thread.Join();
        _request.Dispose();
        _done.Dispose();
    }

    private static void Enter()
    {
        LinuxException.ThrowIfFailed(
            LibC.unshare(LibC.CLONE_NEWNET), "unshare(CLONE_NEWNET)", "a new network namespace",
            "It needs CAP_SYS_ADMIN: run as root, or start the program with `unshare --user --map-root-user --net`.");
        NetworkLink.SetUp("lo");
    }

    private void Loop()
    {
        while (Volatile.Read(ref _work) is { } work)
        {
            try
            {
                work();
            }
#pragma warning disable CA1031 // The caller gets it, whatever it is.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                _failure = failure;
            }

            _done.Release();
            _request.Wait();
        }
    }
}
