"""MACE: structured exploration by hierarchical variational policies (Zheng and Yue 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from algorithms._episodes import EARLY, EPISODE_LENGTH, EPISODE_REWARD
from algorithms.frozen import Frozen
from algorithms.mace import MACE
from algorithms.random_play import RandomPlay
from algorithms.untrained import NAMES, Name, Untrained, of
from benchmarks import (
    Arm,
    Budget,
    Cell,
    Decision,
    Evaluation,
    Exceeds,
    Learnt,
    Margin,
    Measured,
    Metric,
    Paper,
    Reading,
    Role,
    Row,
    Score,
    Statistic,
)
from benchmarks._judging.scores import Gained
from environments.hunters import Hunters

PAPER = Paper(
    name="mace",
    title="Structured Exploration via Hierarchical Variational Policy Networks",
    authors="Stephan Zheng, Yisong Yue",
    venue="2018, OpenReview",
    summary="Agents that share a random latent draw explore in a coordinated way. In games of hunters who must divide "
    "their prey, they are to learn faster than agents that share all or part of a deterministic policy.",
)

Kind = Literal["hare", "stag"]
Method = Literal["MACE", "Shared", "Cloned", "random walk"]
Rival = Literal["Shared", "Cloned"]
BASELINES: tuple[Rival, ...] = ("Shared", "Cloned")
METHODS: tuple[Method, ...] = ("MACE", *BASELINES, "random walk")
HORIZON: dict[Kind, int] = {"hare": 2_000, "stag": 1_000}
Game = tuple[Kind, int, bool]
GAMES: tuple[Game, ...] = tuple(product(("hare", "stag"), (10, 20), (False, True)))
TRAINED: tuple[Game, ...] = tuple(game for game in GAMES if game[1] == 10)
"""In which all methods are trained for a million samples."""

CUMULATIVE, MEDIAN, TENTH = "cumulative terminal reward", "median episode length", "tenth percentile of episode length"
LENGTHS = "episode lengths"
PAID = Metric(CUMULATIVE, better="larger")
EPISODE = Metric(EPISODE_REWARD, better="larger", empty="skipped", witness=CUMULATIVE)
DURATION = Metric(EPISODE_LENGTH, better="smaller", empty="skipped", witness=CUMULATIVE)
ENDED = Metric(EARLY, better="larger", empty="skipped", witness=CUMULATIVE)
MILLION = 1_000_000
SECOND_HALF = Gained(MILLION // 2, MILLION)

RANDOM_WALK = {
    "hare-10-frozen": 190.0,
    "hare-10-moving": 960.0,
    "hare-20-frozen": 175.0,
    "hare-20-moving": 1_540.0,
    "stag-10-frozen": 2_800.0,
    "stag-10-moving": 4_000.0,
    "stag-20-frozen": 7_800.0,
    "stag-20-moving": 11_000.0,
    "hare-10-frozen-1000": 10.0,
    "hare-10-moving-1000": 160.0,
    "hare-20-frozen-1000": 0.0,
    "hare-20-moving-1000": 100.0,
}
"""About what random play is paid per million samples, for δ alone: no row asks more of it than its size."""

TRAINING = "How far is each game trained?"
SCALE = "How large are the first weights?"
UNTIL = "T until the first has ended"
EVALUATION = Evaluation(every=10_000, n_episodes=0)
"""Nothing is tested: the paper shows what training itself is paid, and an episode has up to 2000 steps."""


@dataclass(frozen=True)
class Totals:
    """What training has been paid so far, and how long its episodes were."""

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        CUMULATIVE: "sum over agents and over all training episodes that have ended so far of the terminal reward",
        MEDIAN: f"environment steps that half of all training episodes so far do not exceed; {UNTIL}",
        TENTH: f"environment steps that a tenth of all training episodes so far do not exceed; {UNTIL}",
    }
    arrays: ClassVar[Mapping[str, str]] = {
        LENGTHS: "how many training episodes lasted more than b and at most b+1 hundredths of T; [b]"
    }

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Any) -> Measured:
        """Reads what the learner's episodes have counted."""
        lengths = learner.episodes.lengths
        metrics = {
            CUMULATIVE: learner.episodes.finished_reward.float(),
            MEDIAN: quantile(lengths, 0.5) * env.horizon,
            TENTH: quantile(lengths, 0.1) * env.horizon,
        }
        return Measured(metrics, {LENGTHS: lengths})


@dataclass(frozen=True)
class UntrainedTotals:
    """What policies that are never trained have been paid so far."""

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {of(name, CUMULATIVE): Totals.metrics[CUMULATIVE] for name in NAMES}
    arrays: ClassVar[Mapping[str, str]] = {}

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Any) -> Measured:
        """Reads what has been counted."""
        return Measured(dict(zip(self.metrics, learner.finished.float().unbind(1), strict=True)), {})


def quantile(counts: Tensor, share: float) -> Tensor:
    """The upper end of the first bin with which `share` of all is reached; 1 as long as nothing has been counted.

    Shapes: counts [S, n] → [S]. Units: of the range of all bins.
    """
    total = counts.sum(dim=1, keepdim=True)
    reached = (counts.cumsum(dim=1) >= share * total) & (total > 0)
    first = torch.where(reached.any(dim=1), reached.long().argmax(dim=1), counts.shape[1] - 1)
    return (first + 1).float() / counts.shape[1]


def place(kind: Kind, n: int, moving: bool, horizon: int | None = None) -> str:
    """How a game is called; with its time limit where that is not the one of Table 1."""
    name = f"{kind}-{n}-{'moving' if moving else 'frozen'}"
    return name if horizon in (None, HORIZON[kind]) else f"{name}-{horizon}"


def game(kind: Kind, n: int, moving: bool, horizon: int | None = None) -> Hunters:
    """The (n, n, H, T) game on 50 × 50 cells."""
    name: Literal["Hare-Hunters", "Stag-Hunters"] = "Hare-Hunters" if kind == "hare" else "Stag-Hunters"
    return Hunters(name, n_hunters=n, n_prey=n, moving=moving, horizon=horizon or HORIZON[kind])


def learner(method: Method) -> Any:
    """A method at the one configuration that is declared; chance plays in as many copies."""
    return RandomPlay() if method == "random walk" else MACE(policy=method)


def cell(method: Method, kind: Kind, n: int, moving: bool, horizon: int | None = None) -> Cell:
    """A method in a game."""
    where = place(kind, n, moving, horizon)
    return Cell(method, where, learner(method), game(kind, n, moving, horizon), EVALUATION, measure=Totals())


def untrained(kind: Kind, n: int, moving: bool, horizon: int | None = None) -> Cell:
    """All policies as they begin, in a game."""
    where = place(kind, n, moving, horizon)
    return Cell("untrained", where, Untrained(), game(kind, n, moving, horizon), EVALUATION, measure=UntrainedTotals())


def budgets(games: tuple[Game, ...], horizon: int | None = None) -> dict[str, dict[str, Budget]]:
    """What each profile runs of every game: training in full only where something is asked of it. Units: samples."""
    sizes: dict[str, dict[str, Budget]] = {"smoke": {}, "quick": {}, "paper": {}}
    for one in games:
        where, small = place(*one, horizon), Budget(6, 200_000)
        in_full = where == place(*one) and one in TRAINED
        sizes["smoke"] |= {where: Budget(2, 10_000), f"untrained on {where}": Budget(2, 10_000)}
        sizes["quick"] |= {where: small, f"untrained on {where}": Budget(10, 200_000)}
        full = Budget(10, MILLION)
        sizes["paper"] |= {where: full if in_full else small}
        sizes["paper"] |= {f"{name} on {where}": full for name in ("untrained", "random walk")}
    return sizes


@dataclass(frozen=True)
class Reads:
    """What is read of every method in a game."""

    game: Game
    metric: Metric
    statistic: Statistic
    horizon: int | None = None

    @property
    def where(self) -> str:
        """How the game is called."""
        return place(*self.game, self.horizon)

    def of(self, method: Method) -> Score:
        """While it trains."""
        return Score(cell(method, *self.game, self.horizon), self.metric, self.statistic)

    def untrained(self, name: Name) -> Score:
        """As it begins."""
        metric, witness = self.metric.name, self.metric.witness
        known = replace(self.metric, name=of(name, metric), witness=of(name, witness) if witness else "")
        return Score(untrained(*self.game, self.horizon), known, self.statistic)


def paid(of_cell: Cell, statistic: Statistic) -> Score:
    """What training had been paid by then."""
    return Score(of_cell, PAID, statistic)


def of_interest(kind: Kind, where: str, n: int, n_samples: int) -> Margin:
    """The smallest difference of interest between totals of so many samples.

    Of what random play is paid a third of the smallest relative gap of Table 1, 8.5 % in Stag-Hunters and 42.5 % in
    Hare-Hunters, there one success at least: printed totals are comparable by rank and ratio only.
    """
    paid_by_chance = RANDOM_WALK[where] * n_samples / MILLION
    if kind == "stag":
        return Margin(0.03 * paid_by_chance, "3 % of what random play is paid, a third of the smallest printed lead")
    reason = "14 % of what random play is paid, a third of the smallest printed lead, or one success"
    return Margin(max(0.14 * paid_by_chance, float(n)), reason)


def either_learnt(read: Reads, rival: Rival, delta: Margin) -> tuple[Learnt, ...]:
    """The precondition that MACE or its rival is above its own untrained self, and above random play."""
    arms = (Arm(read.of("MACE"), read.untrained("MACE")), Arm(read.of(rival), read.untrained(rival)))
    return (Learnt(arms, read.of("random walk"), delta),)


def method(name: Name) -> Method:
    """Who trains a policy."""
    return "MACE" if name == "MACE, λ kept" else name


def leads(label: str, read: Reads, rival: Rival, delta: Margin, role: Role = "claim") -> Row:
    """MACE has more than a rival, if either has learnt."""
    learnt = either_learnt(read, rival, delta)
    return Row(f"{label}: MACE > {rival}", read.of("MACE"), read.of(rival), Exceeds(delta), "end", role, learnt)


def gains_more(one: Game, rival: Rival, *, horizon: int | None = None, role: Role = "claim") -> Row:
    """MACE is paid more than a rival in the second half of a million samples too."""
    kind, n, _ = one
    read = Reads(one, PAID, SECOND_HALF, horizon)
    delta = of_interest(kind, read.where, n, MILLION // 2)
    return leads(f"{read.where}, second half", read, rival, delta, role)


def kept(of_cell: Cell) -> Cell:
    """The same cell with λ kept for an episode, where it has one."""
    algorithm = of_cell.algorithm
    learner = algorithm.learner if isinstance(algorithm, Frozen) else algorithm
    if not isinstance(learner, MACE) or learner.policy != "MACE":
        return of_cell
    lasting = replace(learner, latent_lasts="episode")
    return replace(of_cell, algorithm=replace(algorithm, learner=lasting) if learner is not algorithm else lasting)


KEPT = Reading(
    "kept",
    "For an episode: ε is drawn where an episode begins, and λ = μ(s) + σ(s)·ε follows the states.",
    "“During a rollout τᵏ, we sample λ ∼ Q”, Thompson sampling, and strategies of episodes that λ encodes read as if "
    "it were drawn once an episode. The gradient stays that of equation (10), through the draw of (14), summed over "
    "all steps of the episode, and so does the KL term of every step. λ itself kept from the first state would be a "
    "third reading.",
    under=kept,
    renamed={of("MACE", metric): of("MACE, λ kept", metric) for metric in (CUMULATIVE, *Untrained.learner.metrics)},
)
LASTING = Decision(
    "How long is λ kept?",
    "For a step.",
    "Equations (3) to (8) have a λ at every step. What untrained agents are paid differs by factors between the two.",
    readings=(KEPT,),
)

DECISIONS = (
    Decision(
        "What is a sample?",
        "One environment step, in which all hunters act; steps of all copies are counted.",
        "The paper counts samples and has 5 to 20 threads. With it random play is paid within a factor of about three "
        "of Cloned in all eight games, and within a fifth of it in five. Another reading is one agent's step: a "
        "million samples are then 1 000 000/N environment steps, to be read off the same curves.",
    ),
    Decision(
        "What is the cumulative terminal reward?",
        "The sum over hunters and over all finished training episodes. Success in Hare-Hunters pays 1 to each hunter.",
        "With it random play is paid within a factor of about three of what is printed for Cloned.",
    ),
    Decision(
        "How long is an episode?",
        "T = 2000 in Hare-Hunters and 1000 in Stag-Hunters.",
        "So the captions of Figure 3; with T = 1000 random hunters hardly ever catch ten frozen hares.",
    ),
    Decision(
        "How many hunters does a stag take?",
        "Two, of which each freezes when it reaches the stag; hares take one. Half of the prey are stags.",
        "The captions print H = 1, the text “together with another hunter”. With H = 1 ten hunters could not be paid "
        "more than 5.5 an episode, and 6.22 and 6.61 are printed.",
        departs=True,
    ),
    Decision(
        "When is prey caught?",
        "At a Manhattan distance of at most 1 on the torus, by hunters in the order of their index.",
        "The paper says “gets next to it”. With four neighbours and a stay action random play is paid within a factor "
        "of about three of what is printed for Cloned.",
    ),
    Decision(
        "What does the policy see?",
        "The whole grid: a plane for each hunter, free and frozen hunters, caught prey, live hares, stags by the hits "
        "they need; two convolutions (16 and 32 channels, 3 × 3, stride 2, on the torus) and a layer of 256.",
        "The paper names convolutions and no sizes. Without planes of their own hunters could not tell themselves "
        "apart.",
    ),
    Decision(
        "What is Cloned?",
        "One distribution of actions for all hunters, from which each draws.",
        "So the text reads. It cannot send two hunters to different prey but by chance.",
    ),
    Decision(
        "How is λ drawn?",
        "16 entries, by reparametrisation; KL to N(0, I) is added with a weight of its own.",
        "The paper gives no size. Equation (8) weights the KL term by the reward, which is 0 in every episode that "
        "fails and would leave σ free to vanish; equation (10) is called KL-controlled and has no such term.",
        departs=True,
    ),
    Decision(
        "Who counts in the gradient?",
        "Hunters that are not frozen, in the policy and entropy terms.",
        "Frozen hunters have no action. Without this most of the gradient would fall on choices that nobody plays.",
    ),
    Decision(
        SCALE,
        "Xavier-uniform everywhere, the heads too.",
        "Not given, and it moves what untrained agents are paid by factors: heads near 0 walk at random, large ones "
        "drift, and very large ones stand in their own way. Other scales are measured without training (exploration).",
    ),
    Decision(
        TRAINING,
        "10 against 10 to a million samples, 10 runs; MACE and Cloned of 20 frozen hares to 500 000, 10 runs; all "
        "other games, and T = 1000 with hares, to 200 000, 6 runs; untrained policies and random play to a million "
        "everywhere.",
        "Choices stay uniform: entropy is ln 5 after 200 000 samples on 50 × 50 cells, and after a million on 30 × 30. "
        "One hare and one stag game of each kind say whether training changes what untrained policies are paid; to "
        "train all would take 44 core-hours for what nobody expects. Claims are judged in the four games, but "
        "MACE-T1-2.",
        departs=True,
    ),
    Decision(
        "What trains it?",
        "Advantage actor-critic with 16 copies in step, 20 steps a rollout, generalised advantages, Adam.",
        "A synchronous stand-in for A3C, whose order of updates nobody can repeat.",
        departs=True,
    ),
    Decision(
        "Which hyper-parameters?",
        "One configuration for all methods and games: η = 0.001, γ = 0.99, τ = 0.95, α = 0.5, β = 0.001, weight of the "
        "KL term 0.003.",
        "The paper searches Table 2's ranges and shows the best 5 runs, which favours the method with the larger "
        "variance. β is within its range: before it was fixed, two seeds of MACE were tried against two hares on "
        "10 × 10 cells, which came to two thirds of all episodes after 150 000 samples, and with β = 0.01 after "
        "1 100 000; random walkers come to a third.",
        departs=True,
    ),
)

INCONSISTENCIES = (
    Decision(
        "Can Table 1 be means of five runs?",
        "No: Hare rewards are whole numbers, so that a mean of five ends in .0, .2, .4, .6 or .8; 178.3, 912.5, 706.7 "
        "and others do not.",
        "The fractions look like thirds, quarters and sevenths: the number of runs is not always five.",
    ),
    Decision(
        "Do the averages per episode fit the totals?",
        "Not if a sample is an environment step: 2482.9 in a million samples at 4.64 an episode are 535 episodes of "
        "1869 steps each, 2423.7 at 6.22 are 2566 steps, 3047.3 at 6.61 are 2169, but T is 1000.",
        "Nor are they of the end of training: the second half pays 1254, 1209 and 1532 in at least 500 episodes, which "
        "is at most 2.5, 2.4 and 3.1 each. They also put Shared far above Cloned, where the totals put it below. If a "
        "sample is one agent's step, episodes have 187, 257 and 217 steps, and nothing is contradicted.",
    ),
    Decision(
        "Can half of all Hare-Hunters episodes be faster?",
        "Not if a sample is an environment step: 580.0 are 58 successes of ten hunters in at least 500 episodes. All "
        "above the shortest 11.6 % last exactly T, whatever the method.",
        "If a sample is one agent's step, there are 58 successes in at least 50 episodes, and nothing is contradicted.",
    ),
    Decision(
        "Does MACE's rate of pay grow?",
        "Hardly: the second half of a million samples pays MACE 1.42, 1.09, 0.97 and 0.86 times the first in "
        "Hare-Hunters, and 1.01, 1.03, 0.88 and 0.94 times in Stag-Hunters.",
        "What is printed may be paid by exploration from the start, without learning: untrained lines stand beside it.",
    ),
)
"""What the paper's own numbers contradict, or leave open."""
