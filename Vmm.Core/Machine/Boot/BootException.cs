namespace Vmm.Core.Machine.Boot;

/// <summary>
/// What was to be booted can't be. The message is a sentence with the file, the field and its value, and what to do.
/// </summary>
public sealed class BootException : IOException
{
    /// <param name="source">The file's name, or "command line".</param>
    /// <param name="problem">What is wrong: the field with its value.</param>
    /// <param name="advice">What to do about it: a sentence.</param>
    /// <param name="inner">The I/O error behind it.</param>
    public BootException(string source, string problem, string advice, Exception? inner = null)
        : base($"{source}: {problem}. {advice}", inner)
    {
        Subject = source;
        Advice = advice;
    }

    /// <summary>The file's name, or "command line".</summary>
    public string Subject { get; }

    public string Advice { get; }
}
