using Vmm.Core.Memory;
using Vmm.Migration.Stream;
using Vmm.Migration.Tests.Stream;

namespace Vmm.Fuzz;

/// <summary>A machine with RAM, as it goes into a file.</summary>
internal static class MachineFile
{
    public static byte[] Create()
    {
        using StreamMachine machine = StreamMachine.CreateSource(16 << 12);
        machine.Memory.Write(new GuestAddress(0x3000), [1, 2, 3]);
        machine.Memory.Write(new GuestAddress(0xf000), [4, 5, 6]);
        using MemoryStream stream = new();
        MachineStreamWriter.Write(stream, machine);
        return stream.ToArray();
    }
}
