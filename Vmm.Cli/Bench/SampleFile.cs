using System.Globalization;

namespace Vmm.Cli.Bench;

/// <summary>One row per update, as comma-separated values; times in microseconds.</summary>
internal static class SampleFile
{
    public static void Write(TextWriter output, BenchResult result)
    {
        IReadOnlyList<(string Name, IReadOnlyList<double> Values)> measures = result.Measures;
        output.WriteLine(string.Join(',', (string[])["update", "process", .. measures.Select(m => m.Name.Replace(' ', '_')), "unanswered", "open_files", "memfds", "threads", "private_bytes"]));
        for (int i = 0; i < result.Samples.Count; i++)
        {
            UpdateSample sample = result.Samples[i];
            Footprint footprint = sample.Footprint;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{sample.Number},{sample.Process},{string.Join(',', measures.Select(m => double.IsNaN(m.Values[i]) ? "" : m.Values[i].ToString("0.###", CultureInfo.InvariantCulture)))},{sample.Unanswered},{footprint.Descriptors},{footprint.Memfds},{footprint.Threads},{footprint.PrivateBytes}"));
        }
    }
}
