namespace Vmm.Core.State;

/// <summary>A state that can't be taken: it comes from a peer or a file and is wrong, or does not fit this machine.</summary>
public sealed class StateException : IOException
{
    /// <param name="path">Section and field: <c>net0/virtio-net: queues[2].size</c>.</param>
    /// <param name="reason">What is wrong with it, with the value.</param>
    public StateException(string path, string reason) : base($"{path}: {reason}")
    {
        Path = path;
        Reason = reason;
    }

    public string Path { get; }

    public string Reason { get; }
}
