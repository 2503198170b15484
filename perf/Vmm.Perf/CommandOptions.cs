namespace Vmm.Perf;

/// <summary>Options of a measurement, each with its value.</summary>
internal static class CommandOptions
{
    /// <summary>False when something is not understood, which has been said then.</summary>
    /// <param name="arguments">Names and values by turns.</param>
    /// <param name="set">Takes a name and its value; false when it does not know the name or can't use the value.</param>
    /// <param name="usage">A line for people.</param>
    public static bool TryRead(ReadOnlySpan<string> arguments, Func<string, string, bool> set, string usage)
    {
        for (int i = 0; i + 1 < arguments.Length; i += 2)
        {
            if (!set(arguments[i], arguments[i + 1]))
            {
                Console.Error.WriteLine($"{arguments[i]} {arguments[i + 1]} is not understood. {usage}");
                return false;
            }
        }

        if (arguments.Length % 2 != 0)
        {
            Console.Error.WriteLine(usage);
            return false;
        }

        return true;
    }
}
