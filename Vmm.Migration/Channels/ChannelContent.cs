namespace Vmm.Migration.Channels;

/// <summary>What a source has begun to say.</summary>
public enum ChannelContent
{
    /// <summary>A hello: RAM and state move as the messages of a local migration.</summary>
    Messages,

    /// <summary>A stream, RAM's bytes in it.</summary>
    Stream,
}
