using Xunit.v3;

// Each class has a server and silos of its own, and all of them do little but wait: for a failure detector, a sweep, or
// the next cutoff.
[assembly: Parallelization(MaxThreads = 3)]
