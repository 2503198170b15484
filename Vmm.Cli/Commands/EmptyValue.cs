using System.CommandLine.Parsing;

namespace Vmm.Cli.Commands;

/// <summary>An option with nothing as its value, as an unset variable of a shell script gives it.</summary>
internal static class EmptyValue
{
    /// <summary>For <see cref="System.CommandLine.Option.Validators"/>.</summary>
    public static void Refuse(OptionResult result)
    {
        if (result.Tokens is [{ Value: "" }, ..])
        {
            result.AddError($"{result.Option.Name} '' is empty; give it a value, or leave it out.");
        }
    }
}
