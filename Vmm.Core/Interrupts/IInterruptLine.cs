namespace Vmm.Core.Interrupts;

/// <summary>
/// A level-triggered interrupt line with one owner. The level is what counts: while it is raised the guest is interrupted again after
/// each EOI, so an interrupt can't be lost between the guest's acknowledgement and the next event. Callable from any thread.
/// </summary>
public interface IInterruptLine
{
    /// <summary>Sets the level; setting the level that it has is harmless.</summary>
    void SetLevel(bool raised);
}
