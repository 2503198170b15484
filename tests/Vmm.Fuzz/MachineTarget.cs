using Vmm.Core.State;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;
using Vmm.Migration.Tests.Stream;

namespace Vmm.Fuzz;

/// <summary>A machine with RAM: any bytes are one, or are refused, and nothing of one that was refused is applied.</summary>
internal sealed class MachineTarget : FuzzTarget
{
    public override string Name => "machine";

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds => [("machine", MachineFile.Create())];

    public override void Run(ReadOnlySpan<byte> input)
    {
        using StreamMachine machine = StreamMachine.CreateDestination();
        try
        {
            using MemoryStream stream = new(input.ToArray());
            new MachineStreamReader(stream, machine).Read(untilEnd: true);
        }
        catch (Exception e) when (e is StateException or MigrationException)
        {
            if (machine.IsApplied)
            {
                throw new InvalidOperationException($"It was refused and has been applied: {e.Message}", e);
            }
        }
    }
}
