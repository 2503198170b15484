namespace Vmm.Core.Network;

/// <summary>
/// A back end can't be set up as it was asked for, though no system call failed: the wrong kind of descriptor, an interface that
/// somebody else uses. The message is a sentence with the offending values and what to do.
/// </summary>
public sealed class NetworkBackendException(string message) : IOException(message);
