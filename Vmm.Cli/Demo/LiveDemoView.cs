using System.Globalization;
using Spectre.Console;

namespace Vmm.Cli.Demo;

/// <summary>One table that grows and changes in place, for terminals.</summary>
internal sealed class LiveDemoView : IDemoView
{
    private const int BarWidth = 30;

    private readonly List<(string Name, string Text)> _facts = [];
    private readonly List<TimeSpan?> _pings = [];
    private LiveDisplayContext? _display;

    public int Show(Func<int> demo) => AnsiConsole.Live(Render()).Start(context =>
    {
        _display = context;
        return demo();
    });

    public void Fact(string name, string text)
    {
        int at = _facts.FindIndex(fact => fact.Name == name);
        if (at < 0)
        {
            _facts.Add((name, text));
        }
        else
        {
            _facts[at] = (name, text);
        }

        _display?.UpdateTarget(Render());
    }

    public void Progress(string name, string text) => Fact(name, text);

    public void Ping(int number, TimeSpan? roundTrip)
    {
        if (number == 1)
        {
            _facts.Add(("ping", ""));
        }

        _pings.Add(roundTrip);
        _display?.UpdateTarget(Render());
    }

    private Table Render()
    {
        Table table = new() { Border = TableBorder.Rounded, Title = new TableTitle("[bold]vmm demo[/]") };
        table.HideHeaders();
        table.AddColumn(new TableColumn("").NoWrap());
        table.AddColumn("");
        foreach ((string name, string text) in _facts)
        {
            table.AddRow(new Text(name, new Style(Color.Grey)), name == "ping" ? Pings() : new Text(text));
        }

        return table;
    }

    /// <summary>A bar for each answer, in proportion to the slowest.</summary>
    private Rows Pings()
    {
        double slowest = _pings.Max(time => time?.TotalMicroseconds ?? 0);
        return new Rows(_pings.Select((time, i) => Ping(i, time, slowest)));
    }

    private static Markup Ping(int index, TimeSpan? time, double slowest)
    {
        if (time is not { } answered)
        {
            return new Markup(string.Create(CultureInfo.InvariantCulture, $"{index + 1,2}  [red]lost[/]"));
        }

        string bar = new('━', Math.Max(1, (int)(BarWidth * answered.TotalMicroseconds / slowest)));
        return new Markup(string.Create(CultureInfo.InvariantCulture, $"{index + 1,2}  {answered.TotalMicroseconds,6:0} us  [green]{bar}[/]"));
    }
}
