namespace Vmm.Core.Virtio;

/// <summary>What a device sees of its transport. Safe from any thread, never waits for the transport's registers.</summary>
public interface IVirtioTransport
{
    /// <summary>The negotiated features.</summary>
    ulong Features { get; }

    Virtqueue GetQueue(int queue);

    /// <summary>Used-buffer notification. Call it when <see cref="Virtqueue.NeedsInterrupt"/> says so.</summary>
    void InterruptQueue(int queue);

    /// <summary>Configuration-change notification; the configuration generation moves on.</summary>
    void InterruptConfig();

    /// <summary>
    /// The driver broke the rules: sets NEEDS_RESET (virtio 1.2 section 2.1.2), tells the driver, counts and logs it. The device stops
    /// using the queue until it is reset.
    /// </summary>
    void Fail(int queue, string reason);
}
