namespace Vmm.Core.Events;

/// <summary>Runs on the event loop's thread when its descriptor is ready. Must not throw and must not block.</summary>
public interface IEventHandler
{
    void OnReady(ReadyEvents events);
}
