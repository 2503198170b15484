using Vmm.Core.State;

namespace Vmm.Core.Devices.Power;

/// <summary>What migrates of it.</summary>
internal struct PowerState : IDescribed<PowerState>
{
    /// <summary>The button was pressed, and the guest has not read the event register since.</summary>
    public bool IsButtonPressed;

    public static string StateName => "power";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref PowerState state) where TVisitor : IStateVisitor, allows ref struct
        => visitor.Field("button_pressed", ref state.IsButtonPressed);
}
