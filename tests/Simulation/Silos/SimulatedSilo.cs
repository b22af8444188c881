using Actors.Grains;
using Actors.Grains.Agencies;
using Actors.Grains.Cutoffs;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using Actors.Tests.Simulation.Machine;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Core;
using Orleans.Timers;

namespace Actors.Tests.Simulation.Silos;

/// <summary>
/// One process: the real grains, marker and stores, with a pool of connections and a memory of their own, on a thread
/// that the world can stop at any statement. It is what <see cref="GrainsRegistration"/> puts together in production.
/// </summary>
internal sealed class SimulatedSilo : IGrainRuntime, ILocalSiloDetails, IDisposable
{
    private readonly Dictionary<AgencyId, Activation> _agencies = [];
    private readonly List<Action> _calls = [];
    private readonly GrainDatabase _database;
    private readonly ServiceProvider _services;
    private readonly Agenda _agenda;

    public SimulatedSilo(
        int number, SiloThread thread, string connectionString, Agenda agenda, GrainOptions options,
        Reminders reminders, IGrainFactory grains)
    {
        (Number, Thread, Reminders, GrainFactory, _agenda) = (number, thread, reminders, grains, agenda);
        _database = new GrainDatabase(Connect(connectionString), DatabaseClock.ReplacedBy(agenda));
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(agenda);
        services.AddKeyedSingleton<TimeProvider>(TimeProviderNames.Grains, agenda);
        services.AddSingleton(grains);
        services.AddSingleton<ILocalSiloDetails>(this);
        services.AddLogging();
        services.AddActorsGrains(_ => _database, options);
        _services = services.BuildServiceProvider();

        var marker = _services.GetRequiredService<InstallmentMarker>();
        for (var worker = 0; worker < options.MarkingWorkers; worker++)
            Thread.Start(() => marker.WorkAsync(CancellationToken.None));
    }

    public int Number { get; }

    public SiloThread Thread { get; }

    public Reminders Reminders { get; }

    public IGrainFactory GrainFactory { get; }

    public string Name => $"silo {Number}";

    /// <summary>Since when it cannot be reached by others, though it may not know.</summary>
    public bool IsAlive => !Thread.IsDead && !Thread.IsFrozen;

    /// <summary>The agencies that it is at work on.</summary>
    public IEnumerable<AgencyId> Busy => _agencies.Where(agency => agency.Value.IsBusy).Select(agency => agency.Key);

    /// <summary>Calls one of its agencies from anywhere; the answer comes when the call has ended.</summary>
    public Task<T> CallAsync<T>(AgencyId agency, Func<AgencyGrain, Task<T>> call) => CallAsync(() =>
    {
        if (!_agencies.TryGetValue(agency, out var activation))
        {
            activation = new Activation(Make<AgencyGrain>(new GrainPlace(Reminders.IdOf(agency), this)));
            _agencies.Add(agency, activation);
        }

        return activation.RunAsync(call);
    });

    /// <summary>A call to this process; it fails when the process is found dead.</summary>
    public Task<T> CallAsync<T>(Func<Task<T>> call)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Action fail = () => answer.TrySetException(new SiloUnavailableException($"{Name} is gone."));
        _calls.Add(fail);
        Thread.Start(async () =>
        {
            try
            {
                answer.TrySetResult(await call());
            }
            catch (Exception error)
            {
                answer.TrySetException(error);
            }

            _calls.Remove(fail);
        });
        return answer.Task;
    }

    /// <summary>Whoever waits for this silo learns that it is gone.</summary>
    public void FailCalls()
    {
        foreach (var fail in _calls.ToArray()) fail();
        _calls.Clear();
    }

    public CoordinatorGrain MakeCoordinator(GrainPlace place) => Make<CoordinatorGrain>(place);

    public void Dispose()
    {
        _services.Dispose();
        _database.Source.Dispose();
    }

    /// <summary>
    /// As the silo's own pool, but by no clock of the machine, and without a queue: who waits in Npgsql's queue goes on
    /// by a thread of which the world does not know, and so at another moment of the world on a busy machine.
    /// </summary>
    private static NpgsqlDataSource Connect(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxPoolSize = 1_000,
            CommandTimeout = 0,
            Timeout = 0,
            ConnectionIdleLifetime = int.MaxValue / 1_000,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.UseNodaTime();
        return builder.Build();
    }

    private TGrain Make<TGrain>(GrainPlace place) =>
        ActivatorUtilities.CreateInstance<TGrain>(_services, (IGrainContext)place);

    public TimeProvider TimeProvider => _agenda;

    public ITimerRegistry TimerRegistry { get; } = new Timers();

    public string SiloIdentity => throw Unasked();

    public SiloAddress SiloAddress => throw Unasked();

    public IServiceProvider ServiceProvider => throw Unasked();

    public string ClusterId => throw Unasked();

    public string DnsHostName => throw Unasked();

    public SiloAddress GatewayAddress => throw Unasked();

    /// <summary>A grain holds nothing that matters, so that one that stays is as good as one that comes anew.</summary>
    public void DeactivateOnIdle(IGrainContext grainContext)
    {
    }

    public void DelayDeactivation(IGrainContext grainContext, TimeSpan timeSpan) => throw Unasked();

    public IStorage<TGrainState> GetStorage<TGrainState>(IGrainContext grainContext) => throw Unasked();

    private static NotSupportedException Unasked() => new("No grain has asked for this before: simulate it.");

    /// <summary>
    /// One agency's grain, which takes one call at a time, as every grain does that is not reentrant.
    /// </summary>
    private sealed class Activation(AgencyGrain grain)
    {
        private Task _last = Task.CompletedTask;

        public bool IsBusy => !_last.IsCompleted;

        public async Task<T> RunAsync<T>(Func<AgencyGrain, Task<T>> call)
        {
            var before = _last;
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _last = done.Task;
            await before;
            try
            {
                return await call(grain);
            }
            finally
            {
                done.SetResult();
            }
        }
    }
}
