using Vmm.Core.Linux;

namespace Vmm.Cli.Machines;

/// <summary>What a process that has handed its machine over does then.</summary>
internal abstract record Departure
{
    /// <summary>Does it, with nothing of the machine left here. What this process ends with.</summary>
    public abstract int Leave(Job job);

    /// <summary>The machine goes on in a new process.</summary>
    /// <param name="Process">It, started by this one.</param>
    internal sealed record ToChild(ChildProcess Process) : Departure
    {
        public override int Leave(Job job) => job.HandOver(Process);
    }

    /// <summary>The machine came here only to go on in the process that it came from, when that runs another program.</summary>
    internal sealed record Back : Departure
    {
        public override int Leave(Job job) => ExitCode.Success;
    }

    /// <summary>This process runs the new program, and takes the machine back from a helper.</summary>
    /// <param name="Helper">Has it meanwhile, started by this process.</param>
    /// <param name="Binary">The new program.</param>
    /// <param name="Channel">To the helper.</param>
    internal sealed record Exec(ChildProcess Helper, string Binary, MessageSocket Channel) : Departure
    {
        public override int Leave(Job job)
        {
            try
            {
                job.Replace(Binary, Helper, Channel);
                return ExitCode.Success; // not reached
            }
            catch (LinuxException e)
            {
                // The machine runs, which is what matters; its process is another one then.
                StandardError.WriteLine($"vmm: {e.Message}");
                Channel.Dispose();
                return job.HandOver(Helper);
            }
        }
    }
}
