namespace Vmm.Migration.Channels;

/// <summary>A channel that can't be used as it is: a sentence that names it and says why.</summary>
public sealed class ChannelException(string message, Exception? inner = null) : IOException(message, inner);
