using Actors.Tests.Simulation;
using Xunit.MicrosoftTestingPlatform;

// `./actors simulate …` comes here with its own words; everything else is for the test runner.
if (args is ["simulate", .. var words]) return await SimulateCommand.RunAsync(words);
return args.Any(word => word is "--server" or "--internal-msbuild-node")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
