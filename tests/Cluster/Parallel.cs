using Xunit.v3;

// Each class has a server and silos of its own, and all of them do little but wait.
[assembly: Parallelization(MaxThreads = 2)]
