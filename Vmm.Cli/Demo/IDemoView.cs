namespace Vmm.Cli.Demo;

/// <summary>Where <c>vmm demo</c> shows what happens, as it happens.</summary>
internal interface IDemoView
{
    /// <summary>Carries out the demo, with the view on the screen.</summary>
    int Show(Func<int> demo);

    /// <summary>A fact: the row's name and its text. The same name again replaces the text where the view can.</summary>
    void Fact(string name, string text);

    /// <summary>A fact that is not final yet, several times a second: for views that change in place; others leave it out.</summary>
    void Progress(string name, string text);

    /// <summary>One answered or lost ping.</summary>
    /// <param name="number">From 1.</param>
    /// <param name="roundTrip">Null when it was lost.</param>
    void Ping(int number, TimeSpan? roundTrip);
}
