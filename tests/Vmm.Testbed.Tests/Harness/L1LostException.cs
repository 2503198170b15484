namespace Vmm.Testbed.Tests.Harness;

/// <summary>L1 was seen to have failed, or to have ended.</summary>
public sealed class L1LostException : Exception
{
    public L1LostException()
    {
    }

    public L1LostException(string message)
        : base(message)
    {
    }

    public L1LostException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
