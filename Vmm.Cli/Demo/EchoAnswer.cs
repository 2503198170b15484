namespace Vmm.Cli.Demo;

/// <summary>What came back.</summary>
internal enum EchoAnswer
{
    /// <summary>The answer to a request, as it was sent.</summary>
    Intact,

    /// <summary>The answer to a request, and not what was sent.</summary>
    Damaged,

    /// <summary>Nothing of this series.</summary>
    Foreign,

    /// <summary>Nothing came in time.</summary>
    TimedOut,
}
