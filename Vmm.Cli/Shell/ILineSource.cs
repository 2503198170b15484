namespace Vmm.Cli.Shell;

/// <summary>Where a shell's lines come from and its answers go: a terminal or a pipe.</summary>
internal interface ILineSource
{
    /// <summary>Null at the end.</summary>
    string? ReadLine();

    /// <summary>Shows something, from any thread.</summary>
    void Show(string text);

    void ShowError(string text);

    /// <summary>There is nobody to talk to any more; a line that is being waited for may be given up.</summary>
    void Close();
}
