using Actors.Benchmarks;

// Lines about each run would be written while it is measured.
Environment.SetEnvironmentVariable("Logging__LogLevel__Default", "Warning");
return await BenchmarkCommand.CreateRoot().Parse(args is [] ? ["--help"] : args).InvokeAsync();
