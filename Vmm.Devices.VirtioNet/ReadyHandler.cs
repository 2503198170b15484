using Vmm.Core.Events;

namespace Vmm.Devices.VirtioNet;

/// <summary>An event handler that is one method of somebody else.</summary>
internal sealed class ReadyHandler(Action<ReadyEvents> onReady) : IEventHandler
{
    public void OnReady(ReadyEvents events) => onReady(events);
}
