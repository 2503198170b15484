using System.Collections;

namespace Vmm.Cli.Demo;

/// <summary>Keeps count of the answers of one series of echo requests, which come in the order of the requests when all is well.</summary>
/// <remarks>One thread counts; others may read the numbers meanwhile.</remarks>
internal sealed class EchoTally
{
    private readonly BitArray _seen = new(1024);
    private int _highest = -1;

    public int Answered { get; private set; }

    public int Corrupted { get; private set; }

    public int Duplicated { get; private set; }

    public int Reordered { get; private set; }

    /// <summary>Counts an answer. True for the first intact one to its request.</summary>
    /// <param name="answer">What came.</param>
    /// <param name="number">The request's.</param>
    /// <param name="sent">Requests that were sent by now.</param>
    public bool TryCount(EchoAnswer answer, int number, int sent)
    {
        if (answer is not (EchoAnswer.Intact or EchoAnswer.Damaged))
        {
            return false;
        }

        if (answer == EchoAnswer.Damaged || number >= sent)
        {
            Corrupted++;
            return false;
        }

        if (number >= _seen.Length)
        {
            _seen.Length = Math.Max(number + 1, _seen.Length * 2);
        }

        if (_seen[number])
        {
            Duplicated++;
            return false;
        }

        _seen[number] = true;
        Answered++;
        if (number < _highest)
        {
            Reordered++;
        }

        _highest = Math.Max(_highest, number);
        return true;
    }

    /// <summary>The end of the series.</summary>
    /// <param name="sent">Requests in all.</param>
    /// <param name="elapsed">From the first request to the last answer.</param>
    /// <param name="roundTrips">If they were measured.</param>
    public EchoReport Report(int sent, TimeSpan elapsed, IReadOnlyList<long> roundTrips)
        => new(sent, Answered, Corrupted, Duplicated, Reordered, elapsed, roundTrips);
}
