namespace Vmm.Core.State;

/// <summary>
/// A struct that is saved and restored. Its <see cref="Describe"/> names every field once, in the order of the wire; saving, loading,
/// the schema and every check are visitors over these rows, so they can't disagree.
/// </summary>
/// <typeparam name="TSelf">The struct itself.</typeparam>
public interface IDescribed<TSelf> where TSelf : IDescribed<TSelf>, allows ref struct
{
    /// <summary>The struct's name in streams and schemas: <c>virtio-net</c>. Never changes.</summary>
    static abstract string StateName { get; }

    /// <summary>Shows every row to <paramref name="visitor"/>, subsections last.</summary>
    static abstract void Describe<TVisitor>(ref TVisitor visitor, scoped ref TSelf state) where TVisitor : IStateVisitor, allows ref struct;

    /// <summary>Called before the rows are saved.</summary>
    static virtual void PreSave(scoped ref TSelf state)
    {
    }

    /// <summary>
    /// Called when all rows have been loaded: makes up what is not on the wire, and looks at what the fields say together. It acts on
    /// nothing but the struct.
    /// </summary>
    /// <returns>Null, or why this state can't be: a clause with the field's name and value.</returns>
    static virtual string? PostLoad(scoped ref TSelf state) => null;
}
