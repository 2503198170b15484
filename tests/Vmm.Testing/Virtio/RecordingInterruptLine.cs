using Vmm.Core.Interrupts;

namespace Vmm.Testing.Virtio;

/// <summary>An interrupt line that counts its rising edges and can be waited for.</summary>
public sealed class RecordingInterruptLine : IInterruptLine
{
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _raised = new();

    public bool IsRaised
    {
        get
        {
            lock (_lock)
            {
                return _raised.IsSet;
            }
        }
    }

    public int RisingEdges { get; private set; }

    public void SetLevel(bool raised)
    {
        lock (_lock)
        {
            if (raised && !_raised.IsSet)
            {
                RisingEdges++;
                _raised.Set();
            }
            else if (!raised)
            {
                _raised.Reset();
            }
        }
    }

    /// <summary>Waits until the line is raised; false after the timeout.</summary>
    public bool Wait(TimeSpan timeout) => _raised.Wait(timeout);
}
