using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet;

namespace Vmm.Cli.Machines;

/// <summary>The counters of a machine's devices as lines for people.</summary>
internal static class MachineCounters
{
    public static IEnumerable<string> Describe(Machine machine)
    {
        foreach (NetworkCard card in machine.Cards)
        {
            VirtioMmioMetrics transport = card.Transport.Metrics;
            yield return $"{card.Id} ({card.Backend.Description}): {transport.QueueInterrupts} interrupts, {transport.Resets} resets, {transport.Faults} faults";
            VirtioNetMetrics metrics = card.Device.Metrics;
            for (int pair = 0; pair < metrics.Receive.Count; pair++)
            {
                yield return $"{card.Id} pair {pair}: receive {Describe(metrics.Receive[pair])}; transmit {Describe(metrics.Transmit[pair])}";
            }
        }
    }

    private static string Describe(QueueMetrics queue)
        => $"{queue.Frames} frames, {queue.Bytes} bytes, {queue.TotalDropped} dropped, {queue.Waits} waits, {queue.Interrupts} interrupts";
}
