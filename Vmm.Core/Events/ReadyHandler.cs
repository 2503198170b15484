namespace Vmm.Core.Events;

/// <summary>An event handler that is one method of somebody else.</summary>
public sealed class ReadyHandler(Action<ReadyEvents> onReady) : IEventHandler
{
    public void OnReady(ReadyEvents events) => onReady(events);
}
