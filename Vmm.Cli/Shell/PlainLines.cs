using Vmm.Core.Linux;

namespace Vmm.Cli.Shell;

/// <summary>Standard input and output as they are.</summary>
internal sealed class PlainLines : ILineSource
{
    private readonly Lock _lock = new();

    public string? ReadLine() => Console.In.ReadLine();

    public void Show(string text)
    {
        lock (_lock)
        {
            Console.Out.WriteLine(text);
        }
    }

    public void ShowError(string text) => StandardError.WriteLine($"vmm: {text}");

    public void Close()
    {
    }
}
