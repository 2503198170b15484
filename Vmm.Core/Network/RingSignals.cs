using Vmm.Core.Events;

namespace Vmm.Core.Network;

/// <summary>How a ring and the <see cref="IRingProcessor"/> that runs it reach each other.</summary>
/// <param name="Doorbell">The driver has made chains available. Nobody drains it: each signal counts, not the number in it.</param>
/// <param name="Call">The driver is to be interrupted.</param>
/// <param name="Error">The driver broke the rules of the ring.</param>
public sealed record RingSignals(EventFd Doorbell, EventFd Call, EventFd Error);
