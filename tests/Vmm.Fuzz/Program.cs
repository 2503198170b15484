using System.Globalization;
using SharpFuzz;

namespace Vmm.Fuzz;

/// <summary>
/// <code>
/// Vmm.Fuzz TARGET FILE...        runs each file once: a corpus, or what a fuzzer has found
/// Vmm.Fuzz TARGET --seeds DIR    writes inputs to begin with
/// Vmm.Fuzz TARGET --random N     runs N changed seeds without a fuzzer; a finding is written to finding-TARGET
/// Vmm.Fuzz TARGET --afl          under afl-fuzz, after `sharpfuzz Vmm.Core.dll`; alone it takes one input from standard input
/// Vmm.Fuzz TARGET --libfuzzer    under libfuzzer-dotnet, after `sharpfuzz Vmm.Core.dll`
/// </code>
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        using ElfTarget elf = new();
        FuzzTarget[] targets = [elf, new InspectTarget(), new SectionsTarget(), new MachineTarget()];
        if (args.Length < 2 || Array.Find(targets, t => t.Name == args[0]) is not { } target)
        {
            Console.Error.WriteLine($"Usage: Vmm.Fuzz TARGET (FILE... | --seeds DIR | --random N | --afl | --libfuzzer). Targets: {string.Join(", ", targets.Select(t => t.Name))}.");
            return 2;
        }

        switch (args[1])
        {
            case "--seeds" when args.Length == 3:
                WriteSeeds(target, Directory.CreateDirectory(args[2]));
                break;
            case "--random" when args.Length == 3:
                RunRandom(target, int.Parse(args[2], CultureInfo.InvariantCulture));
                break;
            case "--afl":
                Fuzzer.OutOfProcess.Run(stream => target.Run(ReadAll(stream)));
                break;
            case "--libfuzzer":
                Fuzzer.LibFuzzer.Run(target.Run);
                break;
            default:
                Array.ForEach(args[1..], file => target.Run(File.ReadAllBytes(file)));
                Console.WriteLine($"{args.Length - 1} inputs, no finding");
                break;
        }

        return 0;
    }

    private static void WriteSeeds(FuzzTarget target, DirectoryInfo folder)
    {
        foreach ((string name, byte[] bytes) in target.Seeds)
        {
            File.WriteAllBytes(Path.Combine(folder.FullName, name), bytes);
        }
    }

    private static void RunRandom(FuzzTarget target, int count)
    {
        byte[][] seeds = [.. target.Seeds.Select(seed => seed.Bytes)];
        Random random = new();
        for (int i = 0; i < count; i++)
        {
            byte[] input = Mutation.Of(seeds[random.Next(seeds.Length)], random);
            try
            {
                target.Run(input);
            }
            catch
            {
                File.WriteAllBytes($"finding-{target.Name}", input);
                throw;
            }
        }

        Console.WriteLine($"{count} inputs, no finding");
    }

    private static byte[] ReadAll(Stream stream)
    {
        using MemoryStream copy = new();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
