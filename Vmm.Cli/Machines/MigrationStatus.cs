using Vmm.Cli.Qmp;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>How the last migration of a machine stands, away from here or to here; told to all clients as it changes.</summary>
internal sealed class MigrationStatus(ControlPlane control)
{
    /// <summary>QEMU's MigrationStatus; null before the first one.</summary>
    public string? Name { get; private set; }

    /// <summary>Why the last one failed; null when it did not.</summary>
    public string? Error { get; private set; }

    /// <summary>Of the last one that came about.</summary>
    public MigrationTimes? Times { get; private set; }

    /// <summary>What went through the channel then; null when only the other side knows.</summary>
    public long? Bytes { get; private set; }

    public void Set(string name)
    {
        Name = name;
        Error = name == "failed" ? Error : null;
        control.Server?.Emit(QmpEvent.Migration(name));
    }

    /// <summary>It came about, was refused, or was only asked about, which is not worth a word.</summary>
    public void End(MigrationResult result)
    {
        if (result.Times is { } times)
        {
            Complete(times, result.Bytes);
        }
        else if (Name == "setup")
        {
            Fail($"refused: {string.Join("; ", result.Verdict?.Reasons ?? [])}", cancelled: false);
        }
    }

    public void Complete(MigrationTimes times, long? bytes)
    {
        Times = times;
        Bytes = bytes;
        Set("completed");
    }

    /// <summary>Goes on from another one, of which the clients have heard.</summary>
    public void Continue(MigrationStatus before) => (Name, Error, Times, Bytes) = (before.Name, before.Error, before.Times, before.Bytes);

    public void Fail(string reason, bool cancelled)
    {
        Error = cancelled ? null : reason;
        Set(cancelled ? "cancelled" : "failed");
    }
}
