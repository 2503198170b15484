using Vmm.Core.State;
using Vmm.Kvm.Tests.Guests;

namespace Vmm.Kvm.Tests.Move;

/// <summary>Moves a guest to another machine of this process as a live update does: the same RAM, the state through its sections' bytes.</summary>
internal static class MachineMove
{
    /// <summary>A machine on the same RAM with its vCPUs waiting.</summary>
    internal static GuestMachine Prepare(GuestMachine source, int cpuCount = 1, KvmOptions? options = null)
    {
        var destination = new GuestMachine(options: options, memory: source.Memory);
        destination.Vm.CreateCpus(cpuCount);
        return destination;
    }

    /// <summary>Pauses the source, carries its state over, and leaves the destination paused.</summary>
    internal static void Carry(GuestMachine source, GuestMachine destination)
    {
        source.Vm.Pause();
        byte[] state = Save(source);
        Load(destination, state);
    }

    /// <summary>The whole of it.</summary>
    internal static GuestMachine Move(GuestMachine source, int cpuCount = 1, KvmOptions? options = null)
    {
        GuestMachine destination = Prepare(source, cpuCount, options);
        Carry(source, destination);
        destination.Vm.Resume();
        return destination;
    }

    internal static byte[] Save(GuestMachine machine)
    {
        StateBuffer buffer = new();
        foreach (IStateSection section in machine.Sections)
        {
            section.Save(buffer, section.Version);
        }

        return buffer.Written.ToArray();
    }

    internal static void Load(GuestMachine machine, byte[] state)
    {
        StateInput input = new(state, []);
        foreach (IStateSection section in machine.Sections)
        {
            section.Load(ref input, section.Version);
        }

        input.Left.Should().Be(0, "the sections read what they have written");
        foreach (IStateSection section in machine.Sections)
        {
            section.Apply();
        }
    }
}
