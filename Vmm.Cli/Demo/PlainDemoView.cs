using System.Globalization;

namespace Vmm.Cli.Demo;

/// <summary>A line for each event, for files and pipes.</summary>
internal sealed class PlainDemoView(TextWriter output) : IDemoView
{
    public int Show(Func<int> demo) => demo();

    public void Fact(string name, string text) => output.WriteLine($"{name,-10} {text}");

    public void Progress(string name, string text)
    {
    }

    public void Ping(int number, TimeSpan? roundTrip)
        => Fact($"ping {number}", roundTrip is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMicroseconds:0} us") : "lost");
}
