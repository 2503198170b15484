using Vmm.Core.State;

namespace Vmm.Cli.Machines;

/// <summary>What is behind a device, on its way here from another process.</summary>
/// <param name="Index">The device's.</param>
/// <param name="Section">Brings it.</param>
/// <param name="Adopt">Makes it of what has come; the machine owns it.</param>
internal sealed record MovingBackend(int Index, IStateSection Section, Func<IDisposable> Adopt);
