using Actors.Tests.Simulation.Machine;
using Actors.Tests.Simulation.Oracle;
using Actors.Tests.Simulation.Silos;
using NodaTime;

namespace Actors.Tests.Simulation.Application;

/// <summary>
/// What everybody in the application has at hand: the database, the facts that they change with it, the clock, chance.
/// </summary>
internal sealed class Desk(Bureau bureau, Facts facts, Agenda agenda, Chance chance, Storms storms, Diary diary)
{
    public Bureau Bureau => bureau;

    public Facts Facts => facts;

    public Agenda Agenda => agenda;

    public Chance Chance => chance;

    public Storms Storms => storms;

    public Diary Diary => diary;

    public Instant Now => agenda.Now;

    /// <summary>
    /// Runs statements in one transaction, at a step of its own. False when somebody holds a row of theirs, so that
    /// nothing has changed. The parameter `now` is always there.
    /// </summary>
    public bool Do(string what, string[] statements, params (string Name, object Value)[] parameters)
    {
        var isDone = bureau.Try(statements, [.. parameters, ("now", agenda.Now)]);
        diary.NextStep();
        diary.Tell(isDone ? what : $"{what}: refused, somebody holds the row");
        return isDone;
    }

    /// <summary>A due date from a week ago to a week ahead; now and then none, or one long past.</summary>
    public LocalDate? SomeDueDate() => chance.Below(20) switch
    {
        0 => null,
        1 => agenda.Now.InUtc().Date.PlusDays(-chance.From(30, 400)),
        _ => agenda.Now.InUtc().Date.PlusDays(chance.From(-7, 7)),
    };
}
