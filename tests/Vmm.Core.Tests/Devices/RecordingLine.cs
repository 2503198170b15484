using Vmm.Core.Interrupts;

namespace Vmm.Core.Tests.Devices;

/// <summary>An interrupt line that remembers its edges.</summary>
internal sealed class RecordingLine : IInterruptLine
{
    public bool Level { get; private set; }

    public int RisingEdges { get; private set; }

    public void SetLevel(bool raised)
    {
        RisingEdges += raised && !Level ? 1 : 0;
        Level = raised;
    }
}
