namespace Vmm.Cli.Qmp;

/// <summary>A command that is refused, as the client will read it.</summary>
/// <param name="errorClass">One of <see cref="QmpErrorClass"/>.</param>
/// <param name="description">For people.</param>
internal sealed class QmpException(string errorClass, string description) : Exception(description)
{
    /// <summary>One of class GenericError.</summary>
    public QmpException(string description) : this(QmpErrorClass.Generic, description)
    {
    }

    public string ErrorClass { get; } = errorClass;
}
