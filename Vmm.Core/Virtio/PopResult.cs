namespace Vmm.Core.Virtio;

/// <summary>What became of an attempt to take a chain.</summary>
public enum PopResult
{
    /// <summary>A chain was taken.</summary>
    Taken,

    /// <summary>The driver has made nothing more available.</summary>
    Empty,

    /// <summary>The scatter list has no room for the chain beside what it holds; nothing was taken.</summary>
    ListFull,

    /// <summary>The ring breaks the rules; <see cref="Virtqueue.Fault"/> says how. The queue is dead until it is reset.</summary>
    Faulty,
}
