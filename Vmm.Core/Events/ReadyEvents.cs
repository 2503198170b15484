namespace Vmm.Core.Events;

/// <summary>epoll(7) event bits.</summary>
[Flags]
public enum ReadyEvents : uint
{
    None = 0,
    In = 0x001,
    Out = 0x004,
    Error = 0x008,
    HangUp = 0x010,

    /// <summary>Report each new arrival once. An eventfd registered so needs no read to be armed again.</summary>
    EdgeTriggered = 1u << 31,
}
