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

            QueueMetrics control = metrics.Control;
            yield return $"{card.Id} control: {control.Frames} commands, {control.Errors} refused, {control.Interrupts} interrupts";
        }
    }

    private static string Describe(QueueMetrics queue)
        => $"{queue.Frames} frames, {queue.Bytes} bytes, {queue.TotalDropped} dropped{DescribeDrops(queue)}, {queue.Waits} waits, {queue.Interrupts} interrupts";

    /// <summary>The reasons that there were: <c> (2 filtered, 1 runt)</c>.</summary>
    private static string DescribeDrops(QueueMetrics queue)
    {
        string[] reasons = [.. Enum.GetValues<DropReason>().Where(reason => queue.Dropped(reason) > 0).Select(reason => $"{queue.Dropped(reason)} {Name(reason)}")];
        return reasons.Length == 0 ? "" : $" ({string.Join(", ", reasons)})";
    }

    private static string Name(DropReason reason) => reason switch
    {
        DropReason.TooLong => "too long",
        DropReason.Runt => "too short",
        DropReason.Filtered => "filtered",
        DropReason.Offload => "of an offload that is off",
        DropReason.LinkDown => "while the link was down",
        DropReason.Malformed => "malformed",
        DropReason.Backend => "refused by the back end",
        _ => reason.ToString(),
    };
}
