"""Predator and prey, of Figure 4: every method's predators against every method's prey, after each has learnt alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from algorithms import Learner, Policy
from algorithms._copies import lost, playable
from algorithms._ledger import Ledger
from algorithms.dimapg import DiMAPG
from algorithms.soft_maddpg import SoftMADDPG
from algorithms.uniform import Uniform
from benchmarks import Budget, Cell, Decision, Evaluation, Floats, Measured, Metric, Reading, Score, Start
from benchmarks._drawing.plates import BLUE, GREEN, GREY, ORANGE, PURPLE
from benchmarks._judging.scores import Final
from benchmarks._judging.statistics import mean_interval
from benchmarks.dimapg import HORIZON, LEARNERS, METHODS, N_SEEDS, Method
from benchmarks.dimapg._levels import PURSUIT
from benchmarks.dimapg._measures import sampled
from benchmarks.dimapg._readings import OF_A3C
from benchmarks.dimapg._scripts import Scripted
from environments import Streams
from environments.simple_tag import PREDATOR_PREY_3V1, PREDATOR_PREY_12V4, SimpleTag
from results import Run

GAMES: dict[str, SimpleTag] = {"3v1": PREDATOR_PREY_3V1, "12v4": PREDATOR_PREY_12V4}
EPISODES: dict[str, dict[Method, int]] = {
    "3v1": dict.fromkeys(METHODS, 20_000) | {"DiMA-PG": 20_150},
    "12v4": dict.fromkeys(METHODS, 2_400) | {"DiMA-PG": 2_600},
}
"""Of every method, in whole iterations: one of DiMA-PG has 325."""

EVERY: dict[Method, int] = dict.fromkeys(METHODS, 200) | {"DiMA-PG": 650}
"""Episodes between two tests."""

N_TESTS = {"smoke": 1, "quick": 10, "paper": 10}
FINAL = Final(window=10)
TOUCH = {game: levels.delta for game, levels in PURSUIT.items()}
"""The smallest difference of interest."""
COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
HUNT = "reward of a predator"
UNIFORM, SCRIPT = "Uniform", "Script"
TEAMS = (*METHODS, UNIFORM, SCRIPT)


# ---- those who have learnt meet -------------------------------------------------------------------------------------


@dataclass
class MeetingState:
    """What everybody has become."""

    steps: int
    ledger: Ledger
    learners: list[Any]


@dataclass(frozen=True)
class Meeting:
    """Several who have learnt, or never will, in one game; nobody learns any more, only time passes."""

    learners: tuple[Learner, ...]
    steps_per_iteration: int = 100

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {}

    def init(self, env: SimpleTag, streams: Streams) -> MeetingState:
        """Everybody's own beginning."""
        learners = [learner.init(own_game(learner, env), streams.branched()) for learner in self.learners]
        return MeetingState(0, Ledger.of(self.metrics, streams.n_seeds, streams.device), learners)

    def advance(self, env: SimpleTag, state: MeetingState) -> None:
        """Time passes."""
        state.steps += self.steps_per_iteration

    def policies(self, state: MeetingState) -> Mapping[str, Policy]:
        """How each plays in training."""
        return {
            f"{type(learner).__name__} {place}": forced(sampled(learner, own))
            for place, (learner, own) in enumerate(zip(self.learners, state.learners, strict=True))
        }


@dataclass(frozen=True)
class Seated:
    """Those who have learnt take the first places of a meeting; what they remember of games stays behind."""

    version: ClassVar[int] = 1

    def __call__(
        self, algorithm: Meeting, env: Any, learner: MeetingState, teachers: tuple[tuple[Any, Any], ...]
    ) -> None:
        """Changes the learners."""
        for seat, (_, taught) in enumerate(teachers):
            fresh = learner.learners[seat]
            learner.learners[seat] = replace(taught, replay=fresh.replay) if hasattr(fresh, "replay") else taught


def own_game(learner: Any, env: SimpleTag) -> SimpleTag:
    """The game with the actions that a method plays: five soft weights with MADDPG, else forces."""
    return replace(env, action="soft") if isinstance(learner, SoftMADDPG) else env


def forced(policy: Policy) -> Policy:
    """A policy in the game of forces; five soft weights push as far as u = (a₁ − a₂, a₃ − a₄) does."""

    def as_force(action: Tensor) -> Tensor:
        if action.shape[-1] == 2:
            return action
        _, right, left, up, down = action.unbind(-1)
        return torch.stack([right - left, up - down], dim=-1)

    def play(env: Any, game: Any) -> tuple[Tensor, ...]:
        return tuple(map(as_force, policy(env, game)))

    return play


# ---- what is measured -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hunt:
    """What a method's predators get from the prey that they train with; actions are drawn as in training."""

    n_episodes: int = 10

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        HUNT: "sum over steps of a predator's reward against the prey of its own team; mean over predators and episodes"
    }
    arrays: ClassVar[Mapping[str, str]] = {}

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Fresh episodes."""
        game = env.reset(streams, self.n_episodes)
        policy = sampled(algorithm, learner)
        total: Tensor | float = 0.0
        for _ in range(env.horizon):
            actions = policy(env, game)
            game, reward, _ = env.step(game, tuple(map(playable, actions)), streams)
            missing = torch.cat([lost(action) for action in actions], dim=2).sum(dim=2)
            total = total + reward[:, :, : env.n_predators].mean(dim=2) + missing
        assert isinstance(total, Tensor)
        return Measured({HUNT: total.mean(dim=1)}, {})


@dataclass(frozen=True)
class CrossPlay:
    """The average reward of every team's predators against every team's prey, of a `Meeting` in the order of `teams`.

    All pairs meet in the same games, and draw their actions as in training. Means of rows and columns are over the
    first `n_learnt` teams as opponents, the same for everybody.

    Units: the sum over the steps of an episode of a predator's reward; mean over predators and `n_episodes` of a pair.
    """

    teams: tuple[str, ...] = TEAMS
    n_learnt: int = len(METHODS)
    n_episodes: int = 10

    version: ClassVar[int] = 2
    arrays: ClassVar[Mapping[str, str]] = {}

    @property
    def metrics(self) -> Mapping[str, str]:
        """Of every pair, and of all that a team's predators and its prey are in."""
        unit = "sum over steps of a predator's reward, mean over predators; mean over"
        each, apart = f", {self.n_episodes} episodes each", " but those of its own team"
        return {
            **{pair(*both): f"{unit} {self.n_episodes} episodes" for both in product(self.teams, repeat=2)},
            **{predators(team): f"{unit} all methods' prey{each}" for team in self.teams},
            **{prey(team): f"{unit} all methods' predators{each}" for team in self.teams},
            **{predators(team) + APART: f"{unit} all methods' prey{apart}{each}" for team in self.teams},
            **{prey(team) + APART: f"{unit} all methods' predators{apart}{each}" for team in self.teams},
        }

    def __call__(self, algorithm: Meeting, env: Any, learner: MeetingState, streams: Streams) -> Measured:
        """Plays an episode of all pairs at once."""
        policies = [forced(sampled(*both)) for both in zip(algorithm.learners, learner.learners, strict=True)]
        reward = crossed(policies, env, streams, self.n_episodes)  # [S, P, Q]
        found = {
            pair(*both): of for both, of in zip(product(self.teams, repeat=2), reward.flatten(1).unbind(1), strict=True)
        }
        for i, team in enumerate(self.teams):
            others = [j for j in range(self.n_learnt) if j != i]
            hunted, hunters = reward[:, i], reward[:, :, i]
            found[predators(team)] = hunted[:, : self.n_learnt].mean(dim=1)
            found[prey(team)] = hunters[:, : self.n_learnt].mean(dim=1)
            found[predators(team) + APART] = hunted[:, others].mean(dim=1)
            found[prey(team) + APART] = hunters[:, others].mean(dim=1)
        return Measured(found, {})


APART = ", without its own team"


def crossed(policies: Sequence[Policy], env: Any, streams: Streams, n_episodes: int) -> Tensor:
    """What predators get, in the same games of all pairs. Shapes: [S, P, Q], by whose predators and whose prey."""
    n_teams, n_predators = len(policies), env.roles[0].n_agents
    of_pairs = (1, n_teams**2)
    start = env.reset(streams, n_episodes)
    game = type(start)(*(field.repeat(*of_pairs, *(1,) * (field.dim() - 2)) for field in start))
    total: Tensor | float = 0.0
    for _ in range(env.horizon):
        actions = joined([policy(env, both_sides(game, n_teams, i)) for i, policy in enumerate(policies)])
        game, reward, _ = env.step(game, tuple(map(playable, actions)), streams)
        missing = torch.cat([lost(action) for action in actions], dim=2).sum(dim=2)  # NaN where one has diverged
        total = total + reward[:, :, :n_predators].mean(dim=2) + missing
    assert isinstance(total, Tensor)
    reward_of_pairs: Tensor = total.unflatten(1, (n_teams, n_teams, -1)).mean(dim=3)
    return reward_of_pairs


def both_sides(game: Any, n_teams: int, i: int) -> Any:
    """The games with a team's predators, then those with its prey. Shapes: [S, P·Q·n, …] → [S, (Q + P)·n, …]."""
    parts = (field.unflatten(1, (n_teams, n_teams, -1)) for field in game)
    return type(game)(*(torch.cat([part[:, i], part[:, :, i]], dim=1).flatten(1, 2).contiguous() for part in parts))


def joined(of_teams: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, Tensor]:
    """Predators' actions from the games that their team hunts in, prey's from those that it flees in.

    Shapes: [S, (Q + P)·n, A, k] for every team and role → [S, P·Q·n, A, k].
    """
    halves = [[side.unflatten(1, (2 * len(of_teams), -1)).chunk(2, dim=1) for side in sides] for sides in of_teams]
    hunting = torch.stack([chasing for (chasing, _), _ in halves], dim=1)  # [S, P, Q, n, A, k]
    fleeing = torch.stack([fleeing for _, (_, fleeing) in halves], dim=2)
    return hunting.flatten(1, 3), fleeing.flatten(1, 3)


def pair(hunters: str, hunted: str) -> str:
    """A metric: what one team's predators get from another's prey."""
    return f"predators of {hunters} against prey of {hunted}"


def predators(team: str) -> str:
    """A metric: what a team's predators get from all prey. More is better."""
    return f"predators of {team}"


def prey(team: str) -> str:
    """A metric: what all predators get from a team's prey. Less is better for the team."""
    return f"against prey of {team}"


def place(game: str) -> str:
    """How a game is called."""
    return f"pursuit-{game}"


def learner_of(method: Method, game: str) -> Any:
    """A method as it learns here."""
    if method == "DiMA-PG":
        return DiMAPG("REINFORCE", n_adapted=None if game == "3v1" else 2)
    return LEARNERS[method]


def learning(method: Method, game: str) -> Cell:
    """A method's predators and prey, which learn among themselves."""
    learner = learner_of(method, game)
    evaluation = Evaluation(EVERY[method] * HORIZON, n_episodes=0)
    return Cell(method, place(game), learner, own_game(learner, GAMES[game]), evaluation, measure=Hunt())


def tournament(game: str) -> Cell:
    """All who have learnt, random players and a script."""
    learners = (*(learner_of(method, game) for method in METHODS), Uniform(100), Scripted("hunter", 100))
    teachers = tuple((learning(method, game), EPISODES[game][method] * HORIZON) for method in METHODS)
    meeting = Meeting(learners)
    evaluation = Evaluation(every=meeting.steps_per_iteration, n_episodes=0)
    start = Start(teachers, Seated())
    return Cell("cross-play", place(game), meeting, GAMES[game], evaluation, start=start, measure=CrossPlay())


def hunting(cell: Cell, team: str) -> Score:
    """What a team's predators get."""
    return Score(cell, Metric(predators(team), better="larger"), FINAL)


def fleeing(cell: Cell, team: str) -> Score:
    """What predators get from a team's prey: a cost."""
    return Score(cell, Metric(prey(team), better="smaller"), FINAL)


def budgets() -> dict[str, dict[str, Budget]]:
    """What each profile runs of every game. Who meets has learnt as long in all of them."""
    found: dict[str, dict[str, Budget]] = {}
    for profile, n_seeds in N_SEEDS.items():
        found[profile] = {}
        for game in GAMES:
            n_steps = N_TESTS[profile] * tournament(game).evaluation.every
            found[profile][f"cross-play on {place(game)}"] = Budget(n_seeds, n_steps)
            for method in METHODS:
                n_steps = EPISODES[game][method] * HORIZON
                found[profile][f"{method} on {place(game)}"] = Budget(n_seeds, n_steps)
    return found


@dataclass(frozen=True)
class MatrixPlate:
    """Every team's predators against every team's prey, with the means of rows and columns over methods."""

    game: str
    cells: tuple[Cell, ...]
    """The one."""

    @property
    def title(self) -> str:
        """The game."""
        return {"3v1": "3 against 1, prey 30 % faster", "12v4": "12 against 4, prey 50 % faster"}[self.game]

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            f"Matrices: reward of a predator in an episode after training, mean over seeds and {FINAL.window} tests of "
            f"{CrossPlay().n_episodes} episodes; rows are predators, columns prey. “mean” is over the four methods, "
            "“others” over those but the team's own. Yellow is high: good for predators, bad for prey."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """A heat map with its numbers."""
        every, n = tuple(runs[0].values()), len(TEAMS)
        table = np.full((n + 2, n + 2), np.nan)
        table[:n, :n] = matrix(every).mean(axis=0)
        for i, team in enumerate(TEAMS):
            for k, apart in enumerate(("", APART)):
                table[i, n + k] = at_end(every, predators(team) + apart).mean()
                table[n + k, i] = at_end(every, prey(team) + apart).mean()
        shown = ax.imshow(np.log10(np.maximum(table, 0.0) + 1.0), cmap="viridis", aspect="auto")
        middle = np.log10(np.nanmax(table) + 1.0) / 2
        for (row, column), value in np.ndenumerate(table):
            if np.isfinite(value):
                dark = np.log10(max(value, 0.0) + 1.0) < middle
                ax.text(column, row, f"{value:.0f}", ha="center", va="center", color="white" if dark else "black")
        for between in (ax.axhline, ax.axvline):
            between(n - 0.5, color="white", lw=3)
        labels = [*(team.replace("-KitchenSink", "-KS") for team in TEAMS), "mean", "others"]
        ax.set_xticks(range(n + 2), labels, rotation=25, ha="right")
        ax.set_yticks(range(n + 2), labels)
        ax.set(xlabel="prey", ylabel="predators")
        ax.figure.colorbar(shown, ax=ax, shrink=0.85, pad=0.02, label="log₁₀(1 + reward)")


def at_end(runs: Sequence[Run], metric: str) -> Floats:
    """The mean of the last tests. Shapes: [seed]."""
    return np.array([run.metrics[metric][-FINAL.window :].mean() for run in runs], dtype=np.float64)


def matrix(runs: Sequence[Run]) -> Floats:
    """After training. Shapes: [seed, predators, prey]."""
    columns = [at_end(runs, pair(*both)) for both in product(TEAMS, repeat=2)]
    return np.stack(columns, axis=1).reshape(-1, len(TEAMS), len(TEAMS))


@dataclass(frozen=True)
class CurvePlate:
    """What every method's predators get from the prey that they train with, while they train."""

    game: str
    cells: tuple[Cell, ...]
    """One a method."""

    @property
    def title(self) -> str:
        """The game."""
        return f"Training, {self.game.replace('v', ' against ')}"

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Curves: reward of a predator in a test episode, actions drawn as in training, against the prey of "
            "its own method, over all episodes that the method has played; mean over seeds with its 95 % t interval. "
            "Against prey that play at random, random predators get what is dotted; a script, "
            f"{PURSUIT[self.game].script:g}, is far above."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """A line a method."""
        for method, colour, of in zip(METHODS, COLOURS, runs, strict=True):
            every = tuple(of.values())
            n_tests = min(len(run.steps) for run in every)
            played = every[0].steps[:n_tests] / HORIZON / 1000
            values = np.array([run.metrics[HUNT][:n_tests] for run in every], dtype=np.float64).T  # [test, seed]
            if len(every) > 1:
                low, high = np.array([mean_interval(of_test) for of_test in values]).T
                ax.fill_between(played, low, high, color=colour, alpha=0.2, lw=0)
            ax.plot(played, values.mean(axis=1), color=colour, lw=1.5, label=method)
        ax.axhline(PURSUIT[self.game].uniform, color=GREY, ls=":", lw=1, label=UNIFORM)
        ax.set_xlim(left=0)
        ax.set(xlabel="learning episodes (thousands)", ylabel="reward of a predator")
        ax.legend(frameon=False, loc="best")


def matrix_plate(game: str) -> MatrixPlate:
    """Of a game."""
    return MatrixPlate(game, (tournament(game),))


def curve_plate(game: str) -> CurvePlate:
    """Of a game."""
    return CurvePlate(game, tuple(learning(method, game) for method in METHODS))


def as_openai_sees(cell: Cell) -> Cell:
    """A cell whose predators and prey see the velocities of prey alone."""
    return replace(cell, env=replace(cell.env, velocities="prey")) if isinstance(cell.env, SimpleTag) else cell


VIEWS = Reading(
    "prey-velocities",
    "The same, but of the velocities of others only those of prey.",
    "So openai's simple_tag, from which the game is “adapted”; the text does not name what was.",
    under=as_openai_sees,
)

PURSUIT_DECISIONS = (
    Decision(
        "What is the reward of predators?",
        "That of one predator, summed over the 200 steps of an episode; mean over predators. All of them get 10 in a "
        "step for each pair of a predator and a prey that touch.",
        "The paper says average predator reward. In openai's simple_tag predators are paid alike, so that the mean is "
        "what each of them gets; nothing is clipped here, for the paper clips in cooperative navigation.",
    ),
    Decision(
        "What do agents see?",
        "Their own velocity and place, obstacles and all others relative to themselves, and the velocities of all "
        "others.",
        "“All agents observe relative positions and velocities of other agents and the positions of the static "
        "obstacles.” Their own are added, as in openai's simple_tag. Velocities are not relative, but every agent sees "
        "its own beside them, and a layer of weights can take it off.",
        readings=(VIEWS,),
    ),
    Decision(
        "Who plays against whom after training?",
        "Every method's predators against every method's prey, and random players and a script on both sides, all "
        "drawing their actions as in training. As predators a team is judged by its mean over the four methods' prey, "
        "as prey by that over their predators, its own among them; means without it are shown beside those.",
        "“after training different policies for predators and preys” does not say who meets whom. The opponents of all "
        "that are compared are the same.",
    ),
    Decision(
        "Over how many episodes?",
        f"{FINAL.window * CrossPlay().n_episodes} of a pair, {FINAL.window * CrossPlay().n_episodes * len(METHODS)} "
        "of a team, after training.",
        "The paper has 100 episodes after training.",
    ),
    Decision(
        "With whom does a method train?",
        "Its predators with its own prey: both learn by the same method at the same time.",
        "The paper does not say otherwise.",
    ),
    Decision(
        "How do both roles of DiMA-PG learn?",
        "By REINFORCE, for θ as for θ_n, with ε = 0.05 and α = 0.01; predators have one θ and prey another.",
        "So the paper for these games.",
    ),
    Decision(
        "Who adapts where there are 16 agents?",
        "Two predators and two prey in every iteration, drawn anew, so that it plays 325 episodes as with 3 against 1. "
        "In 3 against 1 all adapt.",
        "With all it would play 1225 episodes for one step. The paper draws agents in Survival, with more of them.",
        departs=True,
    ),
    Decision(
        "How fast are prey?",
        "1.3 and 1.5 where predators are 1.0; their acceleration is 4.0 and 4.5 where that of predators is 3.0. Two "
        "obstacles in both games.",
        "30 % and 50 % are printed, and the first is openai's own. The paper does not say whether faster prey also "
        "accelerate more. Its text has 12 against 1 once; the caption, 12 against 4, is followed.",
    ),
    Decision(
        "What are better policies?",
        "Those of both roles: its predators get more than another method's, and less is got from its prey. “Similar "
        "results” with more of both are the same order again.",
        "Figure 4 shows predators' reward after “training different policies for predators and preys”.",
    ),
    Decision(
        "Where is the summary of the conclusion judged, that DiMA-PG performs better “when the number of agents are "
        "increased”?",
        "By DIMA-F3-3, whose last rows compare it with 10 agents, and by DIMA-F4-2; it has no figure of its own and is "
        "not counted again. Nor are the introduction's “highly inefficient, as we will demonstrate” (DIMA-F3-3, "
        "MADDPG) and “this also turns out to be impractical” (DIMA-T1-2).",
        "A sentence is counted once.",
    ),
    Decision(
        "Are rewards shared in MADDPG?",
        "No: each agent learns from its own.",
        "openai's games share them if they are collaborative, properly since July 2018, and simple_tag is not, before "
        "or after: its predators are paid for each other's touches by the game itself.",
    ),
    Decision(
        "When does MADDPG first update?",
        "After 25 600 steps.",
        "The public code waits for 1024 batches of an episode's length, which with 200 steps would be 204 800.",
    ),
    Decision(
        "Which episodes are counted?",
        "All that a method plays: an iteration of DiMA-PG has 325, of TRPO-KitchenSink 25, of A3C-KitchenSink 16.",
        "Otherwise DiMA-PG would seem to learn 13 times as fast as it does.",
    ),
    Decision(
        "How long do they train?",
        "20 000 episodes each with 3 against 1, 2400 with 12 against 4, in every profile; DiMA-PG up to the end of the "
        "test in which it reaches them.",
        "No number is printed for these games. Those who meet have learnt as long in every profile; an episode of "
        "MADDPG and of A3C-KitchenSink with 16 agents takes ten to a hundred times as long as one of DiMA-PG.",
    ),
    Decision(
        "What is a difference of interest?",
        "A tenth of the way from random predators to a script, 14 to 1541 with 3 against 1 and 189 to 5065 with 12 "
        "against 4, both against prey that play at random.",
        "The paper prints no number. Against prey that flee by a script the same predators get 221 and 1780.",
    ),
    *(replace(decision, readings=()) for decision in OF_A3C),
)
