using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

/// <summary>
/// Runs in a silo's process before its own code, where DOTNET_STARTUP_HOOKS names this assembly, and puts a clock that
/// is wrong in the place of the machine's: under reminders, membership and timers alike. The program itself has no
/// switch for that. What Orleans writes into the table of its members (when a silo started, when it last gave a sign of
/// life) and compares with it comes by no service, and is shifted where it stands.
/// .NET asks for a class of just this name, in no namespace; Orleans looks into every assembly of the process, so that
/// it stands in one of its own, without the test framework.
/// </summary>
[SuppressMessage("Design", "CA1050", Justification = ".NET looks for it outside all namespaces.")]
public static class StartupHook
{
    /// <summary>The variable that says by how much the clock is wrong.</summary>
    public const string SecondsAhead = "ACTORS_TEST_CLOCK_SECONDS_AHEAD";

    /// <summary>Called by .NET.</summary>
    public static void Initialize()
    {
        var seconds = Environment.GetEnvironmentVariable(SecondsAhead);
        if (seconds is null) return;
        var ahead = TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));
        DiagnosticListener.AllListeners.Subscribe(new Listener(new WrongClock(ahead)));
    }

    private sealed class WrongClock(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + ahead;
    }

    /// <summary>
    /// A host says that it is being built, to whoever listens, and takes more services; and that it is built, before
    /// anything of it starts.
    /// </summary>
    private sealed class Listener(TimeProvider clock)
        : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting") value.Subscribe(this);
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is ("HostBuilding", IHostBuilder host))
                host.ConfigureServices((_, services) => Replace(services));
            if (value is ("HostBuilt", IHost built)) Shift(built.Services);
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        private void Replace(IServiceCollection services)
        {
            var clocks = services.Where(service => service.ServiceType == typeof(TimeProvider)).ToArray();
            foreach (var key in clocks.Where(service => service.IsKeyedService).Select(service => service.ServiceKey))
                services.AddKeyedSingleton(key, clock);
            services.AddSingleton(clock);
        }

        /// <summary>Fails where Orleans has changed, so that no test believes in a clock that is right.</summary>
        private void Shift(IServiceProvider services)
        {
            const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
            var members = services.GetRequiredService(Type.GetType(
                "Orleans.Runtime.MembershipService.IMembershipManager, Orleans.Runtime", throwOnError: true)!);
            var type = members.GetType();
            var now = () => clock.GetUtcNow().UtcDateTime;
            (type.GetProperty("GetDateTimeUtcNow", Own)
                ?? throw new MissingMemberException(type.Name, "GetDateTimeUtcNow")).SetValue(members, now);
            (type.GetField("siloStartTime", Own)
                ?? throw new MissingMemberException(type.Name, "siloStartTime")).SetValue(members, now());
        }
    }
}
