using System.Diagnostics;
using System.Text.Json.Nodes;
using Vmm.Perf.Compare;

namespace Vmm.Perf.Migration;

/// <summary>vmm's live update, all back ends moved.</summary>
internal sealed class LiveUpdateContender(string program, MigrationGuest guest, string folder) : MigrationContender
{
    private const int PatienceMilliseconds = 50_000;

    public override string Name => "vmm live-update";

    public override string Socket => Path.Combine(folder, "vmm.qmp");

    public override Contender Source => new(
        "vmm",
        program,
        [
            "run", "--kernel", guest.Kernel, "--append", guest.CommandLine, "--cpus", "1", "--memory", guest.Memory, "--console", "stdio",
            "--net", $"tap,ifname={MigrationNetwork.First},mac={Contender.GuestMac}", "--name", "compare", "--qmp", Socket,
        ],
        "vmm-guest-ram");

    public override HandOver Move(QmpLine source, out IDisposable? destination)
    {
        destination = null;
        long start = Stopwatch.GetTimestamp();
        source.Execute("migrate-set-parameters", new JsonObject { ["verdict-timeout"] = PatienceMilliseconds, ["prepare-timeout"] = PatienceMilliseconds });
        JsonNode reply = source.Execute("live-update", new JsonObject { ["binary"] = program })!;
        double total = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        if (reply["phases"] is not { } phases)
        {
            throw new InvalidOperationException($"The live update was refused: {reply["reasons"]}");
        }

        // Not by the events: the new process sends RESUME when it has time for it, and the guest has run since.
        // It tells the time by CLOCK_MONOTONIC, as Stopwatch does.
        double stoppedAt = (double)phases["paused-at"]! + (GuestProbe.Now - Stopwatch.GetElapsedTime(0).TotalMicroseconds);
        return new HandOver(stoppedAt, stoppedAt + (double)phases["downtime"]!, total);
    }
}
