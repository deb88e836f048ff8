"""Learning where it can be seen: few hunters on small grids, as games of our own beside the paper's."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from algorithms._episodes import EARLY
from algorithms.egocentric import Egocentric
from algorithms.untrained import NAMES, Name, Untrained, of
from benchmarks import (
    Arm,
    Budget,
    Cell,
    Claim,
    Decision,
    Evaluation,
    Exceeds,
    Figure,
    Learnt,
    Line,
    Panel,
    Row,
    Score,
    Statistic,
    mace,
)
from benchmarks._judging.scores import Area
from benchmarks.mace import BASELINES, METHODS, Method, Rival, kept, learner
from benchmarks.mace._phases import LATE, TENTH
from benchmarks.mace.fig5 import CELLS as PAIR
from benchmarks.mace.fig5 import ENDED, EVALUATION, LENGTH, PLACE
from environments.hunters import Hunters

FOUR = "hare-4-frozen-12"
GAMES = {PLACE: PAIR["MACE"].env, FOUR: Hunters(n_hunters=4, n_prey=4, grid=12, horizon=100)}
WORDS = {PLACE: "2v2, 10 × 10, T = 50", FOUR: "4v4, 12 × 12, T = 100"}
LATENTS: tuple[Name, ...] = ("MACE", "MACE, λ kept")


def trained(name: Name | Method, where: str) -> Cell:
    """A method in one of the games; in that of Figure 5 the same runs as there."""
    method: Method = "MACE" if name == "MACE, λ kept" else name
    own = Cell(method, where, learner(method), GAMES[where], EVALUATION)
    found = PAIR[method] if where == PLACE else own
    return replace(kept(found), name=name) if name == "MACE, λ kept" else found


def untrained(where: str) -> Cell:
    """All policies as they begin."""
    return Cell("untrained", where, Untrained(), GAMES[where], Evaluation(every=50_000, n_episodes=0))


def before(name: Name, where: str) -> Score:
    """How many episodes of an untrained policy succeed."""
    witness = of(name, ENDED.witness)
    return Score(untrained(where), replace(ENDED, name=of(name, ENDED.name), witness=witness), Area())


def success(name: Name | Method, where: str, statistic: Statistic = LATE) -> Score:
    """How many training episodes succeed: those that end before T, for then all hares are caught."""
    return Score(trained(name, where), ENDED, statistic)


def egocentric(where: str, *, learns: bool) -> Cell:
    """Clones that see the game from where they stand; without a rate they play on as they begin."""
    if learns:
        return Cell("Cloned, egocentric", where, Egocentric(), GAMES[where], EVALUATION)
    return Cell("egocentric, untrained", where, Egocentric(learning_rate=0.0), GAMES[where], EVALUATION)


def learnt(where: str, *names: Name) -> tuple[Learnt, ...]:
    """One of them is late above its own untrained self, and above random play."""
    arms = tuple(Arm(success(name, where), before(name, where)) for name in names)
    return (Learnt(arms, success("random walk", where), TENTH),)


def better(latent: Name, rival: Rival, where: str, statistic: Statistic, what: str) -> Row:
    """MACE succeeds more often than a rival, if either has learnt."""
    return Row(
        f"{WORDS[where]}, {what}: {latent} > {rival}",
        success(latent, where, statistic),
        success(rival, where, statistic),
        Exceeds(TENTH),
        "end",
        learnt=learnt(where, latent, rival),
    )


def learns(name: Name, where: str) -> tuple[Row, ...]:
    """A method is late above its own untrained self, and above random play."""
    levels = {"untrained": before(name, where), "random walk": success("random walk", where)}
    return tuple(
        Row(f"{WORDS[where]}: {name} > {label}", success(name, where), level, Exceeds(TENTH), "end")
        for label, level in levels.items()
    )


def own_place(where: str) -> tuple[Row, ...]:
    """Egocentric clones learn, and over training succeed more often than clones of one picture."""

    def own(statistic: Statistic) -> Score:
        return Score(egocentric(where, learns=True), ENDED, statistic)

    untrained_self = Score(egocentric(where, learns=False), ENDED, Area())
    levels = {
        "late: Cloned, egocentric > itself untrained": (own(LATE), untrained_self),
        "late: Cloned, egocentric > random walk": (own(LATE), success("random walk", where)),
        "over training: Cloned, egocentric > Cloned": (own(Area()), success("Cloned", where, Area())),
    }
    return tuple(Row(f"{WORDS[where]}, {label}", *sides, Exceeds(TENTH), "end") for label, sides in levels.items())


def panel(where: str) -> Panel:
    """Success in training, and of untrained policies."""
    names: tuple[Name | Method, ...] = ("MACE", "MACE, λ kept", *METHODS[1:])
    lines = [Line(name, trained(name, where), EARLY) for name in names]
    lines += [Line("Cloned, egocentric", egocentric(where, learns=True), EARLY)]
    lines += [Line(f"{name}, untrained", untrained(where), of(name, EARLY)) for name in NAMES]
    lines += [Line("Cloned, egocentric, untrained", egocentric(where, learns=False), EARLY)]
    return Panel(WORDS[where], tuple(lines), "share of episodes that succeed", against="samples")


def leading(latent: Name, id_: str) -> Claim:
    """MACE learns faster and further than its baselines."""
    return Claim(
        id_,
        "",
        "our own, on games in which something is learnt",
        f"with two hunters of two hares, and with four of four, {latent} succeeds more often than Shared and than "
        "Cloned late in a million samples, and in the mean over them",
        tuple(
            better(latent, rival, where, statistic, what)
            for where in GAMES
            for rival in BASELINES
            for statistic, what in ((LATE, "late"), (Area(), "over training"))
        ),
        kind="check",
    )


FIGURE = Figure(
    paper=mace.PAPER,
    name="learning",
    title="Learning on small grids (Hare-Hunters, frozen)",
    caption="Share of training episodes in which all hares are caught in time.",
    panels=tuple(panel(where) for where in GAMES),
    claims=(
        leading("MACE", "MACE-L-1"),
        leading("MACE, λ kept", "MACE-L-1-kept"),
        Claim(
            "MACE-L-2",
            "",
            "our own, on games in which something is learnt",
            "every method succeeds more often late in a million samples than untrained, and than random play",
            tuple(row for where in GAMES for name in NAMES for row in learns(name, where)),
            kind="check",
            note="Where it does not hold nothing can be said of how methods learn.",
        ),
        Claim(
            "MACE-L-3",
            "",
            "our own, on games in which something is learnt",
            "clones that see the game from where they stand succeed late in a million samples more often than "
            "untrained and than random play, and over all samples more often than clones of one picture",
            tuple(row for where in GAMES for row in own_place(where)),
            kind="check",
            note="It tells what Cloned lacks: heads of their own, or knowing where each of them is. Before the rule "
            "was written, three seeds with two hunters had been seen to catch all hares after 60 000 samples, and "
            "clones of one picture after 700 000.",
        ),
    ),
    budgets={
        profile: {where: Budget(n_seeds, n_steps) for where in GAMES}
        | {
            f"{name} on {where}": Budget(n_seeds, n_untrained)
            for name, where in product(("untrained", "egocentric, untrained"), GAMES)
        }
        for profile, n_seeds, n_steps, n_untrained in (
            ("smoke", 2, 50_000, 50_000),
            ("quick", 6, 1_000_000, 200_000),
            ("paper", 10, 1_000_000, 200_000),
        )
    },
    decisions=(
        Decision(
            "In which games can learning be judged?",
            "Two hunters of two hares on 10 × 10 cells with T = 50, the game of Figure 5, and four of four on 12 × 12 "
            "with T = 100; hares do not move.",
            "On the paper's 50 × 50 cells nobody learns in a million samples, whatever the method. With two hunters "
            "random play succeeds in nearly a third of the episodes (0.30), with four in a quarter (0.26), so that "
            "there is something to learn from.",
            departs=True,
        ),
        Decision(
            "Who has learnt?",
            "Who succeeds late more often than its own untrained policy, and more often than random play, by a tenth "
            "of all episodes each.",
            "An untrained policy with a latent may be paid more than random play: that is exploration, not learning.",
        ),
        Decision(
            "What do clones lack?",
            "Beside Cloned learn clones, with one head too, each of which sees the picture moved on the torus until it "
            "stands in the first cell.",
            "All clones of one picture draw from one distribution: none knows which of the hunters it is. With two "
            "hunters they learn to catch all hares nevertheless, and sooner than hunters with heads of their own. It "
            "may be that one head learns from what all of them try, which is not measured. The paper has no clones "
            "that know where they are; they part agents that are the same from agents that cannot tell.",
            departs=True,
        ),
        replace(mace.LASTING, choice="For a step, and, beside it, for an episode.", readings=()),
        *(decision for decision in mace.DECISIONS if decision.question not in (LENGTH, mace.TRAINING)),
    ),
    family="small games",
)
