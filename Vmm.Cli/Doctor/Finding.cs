namespace Vmm.Cli.Doctor;

/// <summary>How a check of the host came out.</summary>
internal enum Verdict
{
    Good,

    /// <summary>A VM runs; something that one may want does not work.</summary>
    Limited,

    /// <summary>No VM can run.</summary>
    Bad,
}

/// <summary>One line of <c>vmm doctor</c>.</summary>
/// <param name="Subject">What was looked at, a word or a path.</param>
/// <param name="State">What was found, with its values.</param>
/// <param name="Advice">What to do about it; null when there is nothing to do.</param>
internal sealed record Finding(Verdict Verdict, string Subject, string State, string? Advice = null)
{
    /// <summary><c>vmm demo</c> can't work, whatever else can.</summary>
    public bool PreventsDemo { get; init; }
}
