using Vmm.Core.Linux;

namespace Vmm.Migration.Live;

/// <summary>One message as it has come.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Body">Its bytes; they stay until the channel receives again.</param>
/// <param name="Descriptors">The open files that came with it; they are the receiver's to close.</param>
public readonly record struct Message(MessageType Type, ReadOnlyMemory<byte> Body, IReadOnlyList<FileDescriptor> Descriptors);
