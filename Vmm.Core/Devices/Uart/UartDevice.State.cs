using Vmm.Core.State;

namespace Vmm.Core.Devices.Uart;

public sealed partial class UartDevice
{
    private static readonly StateKind<UartState> s_kind = new(version: 1);

    /// <summary>What the section is made of.</summary>
    public static StateKind StateKind => s_kind;

    /// <summary>What migrates, as a section named <paramref name="name"/>.</summary>
    public IStateSection CreateStateSection(string name) => new Section(name, this);

    private sealed class Section(string name, UartDevice uart) : StateSection<UartState>(name, s_kind)
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
