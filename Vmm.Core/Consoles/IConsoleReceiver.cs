namespace Vmm.Core.Consoles;

/// <summary>The guest's side of a console.</summary>
public interface IConsoleReceiver
{
    /// <summary>
    /// Takes as many bytes as there is room for and returns how many. After a short count the receiver calls
    /// <see cref="IConsole.ResumeInput"/> when there is room again; until then the console stops reading.
    /// </summary>
    int Receive(ReadOnlySpan<byte> bytes);
}
