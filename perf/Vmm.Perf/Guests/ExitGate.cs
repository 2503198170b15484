using Vmm.Core.Bus;

namespace Vmm.Perf.Guests;

/// <summary>
/// A device register that lets a guest, which writes to it in an endless loop, make a given number of writes, and then keeps the vCPU's
/// thread waiting in the last one. Thus a benchmark's invocation is so many exits.
/// </summary>
internal sealed class ExitGate : IBusDevice, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly AutoResetEvent _opened = new(false);
    private readonly AutoResetEvent _done = new(false);
    private volatile bool _closing;
    private int _left = 1;

    /// <summary>Called before each write is counted; null: nothing.</summary>
    public Action<ulong>? Written { get; init; }

    /// <summary>Waits until the guest has come to the gate for the first time; false when it does not.</summary>
    public bool WaitForGuest() => _done.WaitOne(Patience);

    /// <summary>Lets the guest make <paramref name="count"/> writes, and waits for the last.</summary>
    public void Pass(int count)
    {
        _left = count;
        _opened.Set();
        if (!_done.WaitOne(Patience))
        {
            throw new InvalidOperationException($"The guest has not made {_left} of {count} writes.");
        }
    }

    public void Read(ulong offset, Span<byte> data)
    {
    }

    public void Write(ulong offset, ReadOnlySpan<byte> data)
    {
        Written?.Invoke(offset);
        if (!_closing && --_left == 0)
        {
            _done.Set();
            _opened.WaitOne();
        }
    }

    /// <summary>Lets the vCPU's thread go on, so that its machine can be disposed.</summary>
    public void Release()
    {
        _closing = true;
        _opened.Set();
    }

    public void Dispose()
    {
        _opened.Dispose();
        _done.Dispose();
    }
}
