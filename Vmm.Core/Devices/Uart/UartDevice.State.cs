using Vmm.Core.State;

namespace Vmm.Core.Devices.Uart;

public sealed partial class UartDevice
{
    /// <summary>What migrates, as a section named <paramref name="name"/>.</summary>
    public IStateSection CreateStateSection(string name) => new Section(name, this);

    private sealed class Section(string name, UartDevice uart) : StateSection<UartState>(name, version: 1)
    {
        protected override ref UartState Collect() => ref uart._state;

        protected override UartState Prepare() => default;

        protected override void Apply(ref UartState state)
        {
            lock (uart._lock)
            {
                uart._state = state;

                // ORDER: the line is not touched: what it has caused is part of the interrupt controllers' state, and raising it again would
                // be one interrupt too many on a pin that is programmed for edges.
                uart._level = uart.InterruptIdentification() != UartRegisters.IIR_NO_INT;
                uart._inputRefused = true;
                uart.ResumeInput();
            }
        }
    }
}
