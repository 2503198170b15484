using System.Diagnostics;
using System.Text.Json.Nodes;
using Vmm.Perf.Compare;

namespace Vmm.Perf.Migration;

/// <summary>QEMU's local migration through a unix: socket, with the device on another TAP.</summary>
/// <param name="program">QEMU.</param>
/// <param name="guest">What it runs.</param>
/// <param name="folder">For sockets.</param>
/// <param name="name">The table's row.</param>
/// <param name="sharesMemory">RAM is a file that both processes map, and stays where it is (x-ignore-shared).</param>
/// <param name="isTuned">With parameters for a short pause rather than the default ones.</param>
internal sealed class QemuContender(
    string program, MigrationGuest guest, string folder, string name, bool sharesMemory, bool isTuned) : MigrationContender
{
    private const long Bandwidth = 10L << 30;

    /// <summary>Milliseconds. With much less QEMU would never be done with a guest that writes as fast as it can copy.</summary>
    private const int DowntimeLimit = 50;

    private readonly string _memoryFile = $"/dev/shm/vmm-compare-{Environment.ProcessId}";

    public override string Name => name;

    public override string Socket => Path.Combine(folder, "source.qmp");

    public override Contender Source => CreateCommand(Socket, MigrationNetwork.First);

    private string DestinationSocket => Path.Combine(folder, "destination.qmp");

    private string Uri => $"unix:{Path.Combine(folder, "migration")}";

    public override HandOver Move(QmpLine source, out IDisposable? destination)
    {
        long start = Stopwatch.GetTimestamp();
        GuestProcess process = GuestProcess.Start(CreateCommand(DestinationSocket, MigrationNetwork.Second, "-incoming", "defer"));
        destination = process;
        using QmpLine incoming = QmpLine.Open(DestinationSocket, process);
        SetCapabilities(incoming);
        incoming.Execute("migrate-incoming", new JsonObject { ["uri"] = Uri });
        SetCapabilities(source);
        if (isTuned)
        {
            source.Execute("migrate-set-parameters", new JsonObject { ["max-bandwidth"] = Bandwidth, ["downtime-limit"] = DowntimeLimit });
        }

        source.Execute("migrate", new JsonObject { ["uri"] = Uri });
        JsonObject end = source.WaitFor(e => (string?)e["data"]?["status"] is "completed" or "failed");
        if ((string?)end["data"]!["status"] != "completed")
        {
            throw new InvalidOperationException($"The migration failed: {source.Execute("query-migrate")?["error-desc"]}");
        }

        double resumedAt = incoming.TimeOf("RESUME");
        double total = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        MigrationNetwork.UseSecond();
        return new HandOver(source.TimeOf("STOP"), resumedAt, total);
    }

    public override void CleanUp() => File.Delete(_memoryFile);

    private void SetCapabilities(QmpLine line)
    {
        JsonArray capabilities = [new JsonObject { ["capability"] = "events", ["state"] = true }];
        if (sharesMemory)
        {
            capabilities.Add(new JsonObject { ["capability"] = "x-ignore-shared", ["state"] = true });
        }

        line.Execute("migrate-set-capabilities", new JsonObject { ["capabilities"] = capabilities });
    }

    private Contender CreateCommand(string socket, string tap, params string[] more)
    {
        string machine = "microvm,accel=kvm,x-option-roms=off,acpi=off" + (sharesMemory ? ",memory-backend=ram" : "");
        string[] memoryObject = sharesMemory ? ["-object", $"memory-backend-file,id=ram,size={guest.Memory},mem-path={_memoryFile},share=on"] : [];
        return new Contender(
            name,
            program,
            [
                "-M", machine, "-cpu", "qemu64", "-global", "virtio-mmio.force-legacy=false",
                "-nodefaults", "-no-user-config", "-display", "none", "-smp", "1", "-m", guest.Memory, .. memoryObject,
                "-serial", "stdio", "-kernel", guest.Kernel, "-append", guest.CommandLine,
                "-netdev", $"tap,id=net0,ifname={tap},script=no,downscript=no,vhost=off", "-device", $"virtio-net-device,netdev=net0,mac={Contender.GuestMac}",
                "-qmp", $"unix:{socket},server=on,wait=off", .. more,
            ],
            _memoryFile);
    }
}
