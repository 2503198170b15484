using System.Diagnostics;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Devices.VirtioBlock;

// Who may use the image.
public sealed partial class DiskImage
{
    /// <summary>
    /// Who writes the image has this range, as far as a file can reach, locked against all others; who only reads it, against those who write.
    /// </summary>
    /// <remarks>
    /// <code>
    /// run, cont    turn, then users; turn is given back
    /// source       users            until it has heard that the guest runs elsewhere
    /// destination  turn             from before the pause on: nobody else can come in between
    ///              turn and users   when the source has let go; turn is given back
    /// </code>
    /// Both belong to the open file: a descriptor that goes into another process takes them with it.
    /// </remarks>
    private const long UsersLength = 1L << 62;

    /// <summary>Who wants to write takes this first, and who wants to read shares it.</summary>
    private const long Turn = UsersLength;

    /// <summary>How long a source takes to let go, at most, before the user hears of it.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private bool _hasTurn;
    private Thread? _waiter;
    private volatile bool _stopsWaiting;

    /// <summary>Whether nobody else can take the image.</summary>
    public bool IsLocked { get; private set; }

    /// <summary>Whether somebody else may have it now, as the machine was left to whoever reads a file: only the user can say that it is taken back.</summary>
    public bool IsGivenUp { get; private set; }

    /// <summary>
    /// The guest goes on here. The source may not have let go yet, which takes it a moment: until then the turn that this has keeps others away.
    /// </summary>
    /// <param name="runs">The guest runs; a paused one does not take what its source had given up.</param>
    /// <param name="complain">Called when the source does not let go.</param>
    public void Acquire(bool runs, Action<string> complain)
    {
        IsOwner = true;
        if (!_cameOpen)
        {
            // What was read before may be older than what the source has written, on another host.
            StorageFile.Forget(_file);
        }

        if ((IsGivenUp && !runs) || TryLock() || _waiter is not null)
        {
            return;
        }

        // An open file that came may have it, or not.
        TakeTurn();
        _waiter = new Thread(() => AwaitUsers(complain)) { Name = "disk-lock", IsBackground = true };
        _waiter.StartOrExplain();
    }

    /// <summary>Takes what <see cref="Yield"/> gave up, or what was left to a source. False when somebody else has it.</summary>
    public bool TryLock()
    {
        if (IsLocked)
        {
            return true;
        }

        // ORDER: the turn first: what one VM hands to another by name is not taken in between.
        bool keepsTurn = _hasTurn;
        int errno = TakeTurn();
        errno = errno == 0 ? Take(0, UsersLength) : errno;
        IsLocked = errno == 0 || !IsConflict(errno);
        IsGivenUp &= !IsLocked;
        if (_hasTurn && (IsLocked || !keepsTurn))
        {
            FileRangeLock.Release(_file, Turn, 1);
            _hasTurn = false;
        }

        return IsLocked;
    }

    /// <summary>The guest goes on elsewhere, with an open file of its own.</summary>
    public void Yield()
    {
        // ORDER: who waits for the lock would take it again.
        StopWaiting();
        IsOwner = false;
        IsLocked = false;
        IsGivenUp = true;
        _hasTurn = false;
        FileRangeLock.Release(_file, 0, Turn + 1);
    }

    private void Lock(bool arrives)
    {
        int errno = TakeTurn();
        if (errno != 0 && !IsConflict(errno))
        {
            // A file system without locks.
            IsLocked = true;
            Warning ??= $"{_path} can't be locked here ({LinuxException.Describe(errno)}): take care that no other VM {(IsReadOnly ? "writes" : "uses")} it";
            return;
        }

        if (errno != 0 || ((!arrives || IsReadOnly) && !TryLock()))
        {
            throw InUse();
        }
    }

    private int TakeTurn()
    {
        int errno = _hasTurn ? 0 : Take(Turn, 1);
        _hasTurn = errno == 0;
        return errno;
    }

    private static bool IsConflict(int errno) => errno == LibC.EAGAIN || errno == LibC.EACCES;

    private DiskImageException InUse() => new(IsReadOnly
        ? $"path={_path} is in use by another process that writes it: end that first."
        : $"path={_path} is in use by another process, another VM perhaps: two that write one disk destroy it. End that first; with readonly=on in both it can be shared.");

    private int Take(long start, long length) => FileRangeLock.TryTake(_file, exclusive: !IsReadOnly, start, length);

    private void AwaitUsers(Action<string> complain)
    {
        long started = Stopwatch.GetTimestamp();
        bool complained = false;
        while (!_stopsWaiting && !TryLock())
        {
            if (!complained && Stopwatch.GetElapsedTime(started) > s_patience)
            {
                complain($"{_path} is still locked by the process that this guest comes from, or by another one");
                complained = true;
            }

            Thread.Sleep(complained ? 100 : 1);
        }
    }

    private void StopWaiting()
    {
        _stopsWaiting = true;
        _waiter?.Join();
        _waiter = null;
        _stopsWaiting = false;
    }
}
