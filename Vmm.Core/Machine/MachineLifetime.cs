namespace Vmm.Core.Machine;

/// <summary>The one place where a machine's end is announced; the first end counts. Any thread may announce and wait.</summary>
public sealed class MachineLifetime
{
    private readonly TaskCompletionSource<GuestEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the machine has ended.</summary>
    public Task<GuestEnd> Completion => _end.Task;

    /// <summary>vCPU threads look here after each exit and do not enter the guest again.</summary>
    public bool HasEnded => _end.Task.IsCompleted;

    /// <summary>Announces the end; false when another end came first.</summary>
    public bool End(GuestEnd end) => _end.TrySetResult(end);
}
