namespace Vmm.Cli;

/// <summary>The command can't be carried out as it was given. The message is a sentence that says what to do.</summary>
internal sealed class UserErrorException(string message) : Exception(message);
