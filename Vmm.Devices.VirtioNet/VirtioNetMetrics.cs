namespace Vmm.Devices.VirtioNet;

/// <summary>All counters of a network device.</summary>
/// <param name="Receive">One for each queue pair.</param>
/// <param name="Transmit">One for each queue pair.</param>
/// <param name="Control">The control queue's.</param>
public sealed record VirtioNetMetrics(IReadOnlyList<QueueMetrics> Receive, IReadOnlyList<QueueMetrics> Transmit, QueueMetrics Control);
