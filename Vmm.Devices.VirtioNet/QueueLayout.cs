namespace Vmm.Devices.VirtioNet;

/// <summary>
/// What a queue index means (virtio 1.2 section 5.1.2): receiveq1, transmitq1, ..., and the control queue behind those that exist.
/// </summary>
/// <param name="queuePairs">As many as the device has.</param>
/// <param name="hasMultiQueue">VIRTIO_NET_F_MQ was negotiated; otherwise there is one pair, and the control queue is the third.</param>
internal readonly struct QueueLayout(int queuePairs, bool hasMultiQueue)
{
    public int PairCount { get; } = hasMultiQueue ? queuePairs : 1;

    public int ControlIndex => 2 * PairCount;

    /// <summary>How many queues have a meaning.</summary>
    public int QueueCount => ControlIndex + 1;

    public static int ReceiveIndex(int pair) => 2 * pair;

    public static int TransmitIndex(int pair) => 2 * pair + 1;
}
