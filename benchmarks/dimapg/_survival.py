"""Survival, of Table 2 and of Figures 5 and 6: what is left of the food and of the agents, and how it looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from algorithms._copies import lost, playable
from algorithms._rollouts import Baseline
from algorithms.dimapg import DiMAPG
from algorithms.frozen import Frozen
from algorithms.uniform import Uniform
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
    Reading,
    Row,
    Score,
    mapped,
)
from benchmarks._judging.scores import Last
from benchmarks.dimapg import DECISIONS, HORIZON, N_SEEDS
from benchmarks.dimapg._measures import sampled
from benchmarks.dimapg._scripts import Scripted
from environments import Streams
from environments.survival import FIRST_ATTACK, Crowd, Survival, _aims

SIZES = (230, 630)
GAMES = {
    60: Survival(n_agents=60, n_food=42, map_size=51),
    230: Survival(n_agents=230),
    630: Survival(n_agents=630, map_size=200),
}
"""By the number of agents; that of 60 has the densities of that of 230."""
FOOD, SURVIVORS, SHARE, REWARD = "food left", "survivors", "share of survivors", "average reward"
INNER, OUTER = ", innermost third", ", outermost third"
"""Of the agents, by how far the nearest food is from where they start."""
KILLS, EATEN, TEAMS = "kills an agent", "food an agent", "blows in a team"
BY_PLACE = (*(what + where for what in (KILLS, EATEN) for where in (INNER, OUTER)), TEAMS + OUTER)
METRICS = {
    FOOD: Metric(FOOD, better="smaller"),
    **{name: Metric(name, better="larger") for name in (SURVIVORS, SHARE, REWARD)},
    **{name: Metric(name, better="neither") for name in BY_PLACE},
}
Moment = Literal["start", "middle", "end"]
MOMENTS: tuple[Moment, ...] = ("start", "middle", "end")
AGENTS, PIECES = "agents", "pieces of food"

N_CONDITION = 32
"""How many features of an observation are no view: whether alive, hit points, heading, place, last reward, action."""

PER_ITERATION = 25
"""Episodes: one of θ, and three of each of eight agents."""

ITERATIONS: dict[str, dict[int, int]] = {
    "smoke": {60: 10, 230: 10, 630: 5},
    "quick": {60: 150, 230: 400, 630: 120},
    "paper": {60: 150, 230: 400, 630: 120},
}
"""As many in both, so that claims about the end of training are judged with the seeds of `quick`, too."""
EVERY = {60: 10, 230: 10, 630: 5}
"""Iterations between two tests."""

LEARNER = DiMAPG(
    outer="REINFORCE", n_trajectories=1, n_adapted=8, baseline=Baseline(n_features=N_CONDITION, pooled=True)
)
UNTRAINED = Frozen(LEARNER)


@dataclass(frozen=True)
class Outcomes:
    """Whole games of the sampled policy, and the first of them as it begins, in its middle and at its end."""

    n_games: int = 20

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        FOOD: "pieces of food left when a game ends; mean over test games",
        SURVIVORS: "agents alive when a game ends; mean over test games",
        SHARE: "agents alive when a game ends, as a share of all; mean over test games",
        REWARD: "sum over agents and steps of the reward of a game; mean over test games",
        **{
            f"{KILLS}{where}": f"agents killed in a game by an agent of the {where[2:]} by distance to food at the "
            "start; a kill is shared by all who struck at the victim in that step; mean over agents and test games"
            for where in (INNER, OUTER)
        },
        **{
            f"{EATEN}{where}": f"pieces of food eaten in a game by an agent of the {where[2:]} by distance to food at "
            "the start; shared by all who struck at it in the step it was gone; mean over agents and test games"
            for where in (INNER, OUTER)
        },
        TEAMS + OUTER: "of all blows at agents by the outermost third, the share whose victim has another living agent "
        "beside it; over all test games, 0 where nobody strikes",
    }
    arrays: ClassVar[Mapping[str, str]] = {
        AGENTS: "of the first game: x and y in cells, heading (clockwise from the east) and hit points, below zero "
        "for the dead; [moment, agent, entry]",
        PIECES: "of the first game: x and y in cells and hit points, below zero for what is gone; "
        "[moment, piece, entry]",
    }

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Plays to the horizon; a game that has ended before stays as it is and pays nothing more."""
        policy = sampled(algorithm, learner)
        game = env.reset(streams, self.n_games)
        deeds = Deeds.of(game)
        seen = [_first(game)]
        total: Tensor | float = 0.0
        for step in range(1, env.horizon + 1):
            (action,) = policy(env, game)
            before, (game, reward, _) = game, env.step(game, (playable(action),), streams)
            deeds.add(env, before, playable(action), game)
            total = total + (reward + lost(action)).sum(dim=2)
            if step in (env.horizon // 2, env.horizon):
                seen.append(_first(game))
        assert isinstance(total, Tensor)
        missing = 0.0 * total.mean(dim=1)  # NaN where the policy has diverged
        survivors = game.alive.sum(dim=2).float().mean(dim=1) + missing
        metrics = {
            FOOD: game.food_left.sum(dim=2).float().mean(dim=1) + missing,
            SURVIVORS: survivors,
            SHARE: survivors / env.n_agents,
            REWARD: total.mean(dim=1),
            **{name: value + missing for name, value in deeds.metrics.items()},
        }
        agents, pieces = (torch.stack(parts, dim=1) for parts in zip(*seen, strict=True))
        return Measured(metrics, {AGENTS: agents, PIECES: pieces})


@dataclass
class Deeds:
    """Who has killed, eaten and struck, as far as states before and after a step tell.

    Shapes: far [A] is the order of the agents by their distance to food at the start, the others [S, A], summed over
    copies.
    """

    far: Tensor
    n_games: int
    kills: Tensor
    eaten: Tensor
    blows: Tensor
    in_team: Tensor

    @classmethod
    def of(cls, start: Crowd) -> Deeds:
        """Nothing yet; all copies begin in the same places."""
        ways = (start.position[0, 0].unsqueeze(1) - start.food_position[0, 0]).square().sum(-1)  # [A, F]
        nothing = torch.zeros(start.hp.shape[0], start.hp.shape[2], device=start.hp.device)
        return cls(ways.amin(1).argsort(stable=True), start.hp.shape[1], *(nothing.clone() for _ in range(4)))

    def add(self, env: Survival, before: Crowd, action: Tensor, after: Crowd) -> None:
        """One step."""
        aim = before.position + _aims(action.device)[before.heading, action]
        met = env.met(before, aim)  # agents, then food, then nobody and walls
        gone = torch.cat([before.alive & ~after.alive, before.food_left & ~after.food_left], -1)
        playing = before.alive & before.food_left.any(-1, keepdim=True)
        struck = playing & (action >= FIRST_ATTACK) & (met < gone.shape[-1])
        target = met.clamp_max(gone.shape[-1] - 1)
        strikers = torch.zeros(gone.shape, device=met.device).scatter_add_(-1, target, struck.float())
        share = torch.where(struck & gone.gather(-1, target), 1.0 / strikers.gather(-1, target).clamp_min(1.0), 0.0)
        at_agent = struck & (met < env.n_agents)
        self.kills += torch.where(at_agent, share, 0.0).sum(dim=1)
        self.eaten += torch.where(at_agent, 0.0, share).sum(dim=1)
        self.blows += at_agent.float().sum(dim=1)
        self.in_team += (at_agent & env.in_company(before, target)).float().sum(dim=1)

    @property
    def metrics(self) -> dict[str, Tensor]:
        """Shapes: [S] each."""
        third = len(self.far) // 3
        places = {INNER: self.far[:third], OUTER: self.far[-third:]}
        found = {
            what + where: of[:, agents].mean(dim=1) / self.n_games
            for what, of in ((KILLS, self.kills), (EATEN, self.eaten))
            for where, agents in places.items()
        }
        blows, in_team = (of[:, places[OUTER]].sum(dim=1) for of in (self.blows, self.in_team))
        return found | {TEAMS + OUTER: in_team / blows.clamp_min(1.0)}


def _first(game: Any) -> tuple[Tensor, Tensor]:
    """The first copy of every seed. Shapes: [S, A, 4], [S, F, 3]."""
    agents = torch.cat([game.position, game.heading.unsqueeze(-1), game.hp.unsqueeze(-1)], dim=-1)
    pieces = torch.cat([game.food_position, game.food_hp.unsqueeze(-1)], dim=-1)
    return agents[:, 0], pieces[:, 0]


def place(n_agents: int) -> str:
    """How the game is called."""
    return f"survival-{n_agents}"


def trained(n_agents: int) -> Cell:
    """DiMA-PG among so many agents."""
    evaluation = Evaluation(every=EVERY[n_agents] * PER_ITERATION * HORIZON, n_episodes=0)
    return Cell("DiMA-PG", place(n_agents), LEARNER, GAMES[n_agents], evaluation, measure=Outcomes())


def untrained(n_agents: int) -> Cell:
    """The same learner before its first iteration."""
    return still("before training", n_agents, UNTRAINED)


def level(name: Literal["Uniform", "Script"], n_agents: int) -> Cell:
    """Actions drawn uniformly, or everybody going for the nearest food."""
    every = UNTRAINED.steps_per_iteration
    return still(name, n_agents, Uniform(every) if name == "Uniform" else Scripted("eater", every))


def still(name: str, n_agents: int, algorithm: Any) -> Cell:
    """Somebody who learns nothing."""
    evaluation = Evaluation(every=UNTRAINED.steps_per_iteration, n_episodes=0)
    return Cell(name, place(n_agents), algorithm, GAMES[n_agents], evaluation, measure=Outcomes())


def at_last(cell: Cell, metric: str) -> Score:
    """At the end of training."""
    return Score(cell, METRICS[metric], Last())


PIECES_OF_INTEREST = Margin(16.0, "a tenth of 160 pieces of food")


def paying(*, hit: float = 0.5, group: float = 0.0) -> Callable[[Cell], Cell]:
    """A cell in a game with other rewards."""

    def under(cell: Cell) -> Cell:
        if not isinstance(cell.env, Survival):
            return cell
        return replace(cell, env=replace(cell.env, hit_reward=hit, group_reward=group))

    return under


def from_all(cell: Cell) -> Cell:
    """A cell whose learner sees what all living agents go through."""
    if not isinstance(cell.algorithm, DiMAPG):
        return cell
    return replace(cell, algorithm=replace(cell.algorithm, data="all"))


GROUP = Reading(
    "group",
    "An attack on an agent pays 1 where a third agent stands beside the victim.",
    "“if it chooses to attack another agent by forming a group it receives an award of 1”, and agents “also get reward "
    "for killing other agents (reward for eating food is higher)”.",
    under=paying(group=1.0),
)
UNPAID = Reading(
    "unpaid-hits",
    "Nothing, until food is eaten.",
    "The paper lists 5 for eating food and nothing for hits.",
    under=paying(hit=0.0),
)
ALL_DATA = Reading(
    "all-data",
    "Besides, θ learns from all living agents of the game that θ plays alone.",
    "The text has the central policy updated with the trajectories of the sampled agents; 8 agents of 25 games of 230 "
    "are 0.3 % of what is played.",
    under=from_all,
)


def learnt_to_eat(n_agents: int) -> tuple[Learnt, ...]:
    """The precondition that less food is left than before training: the peace of those who do nothing says nothing."""
    before = at_last(untrained(n_agents), FOOD)
    return (Learnt((Arm(at_last(trained(n_agents), FOOD), before),), before, PIECES_OF_INTEREST),)


def in_group(cell: Cell) -> Cell:
    """The cell under the reading “group”, beside the cell itself."""
    return replace(GROUP.of(cell), name=f"{cell.name}, group +1")


def where_killing_pays(row: Row) -> Row:
    """The same under the reading “group”: what refutes only together with the others, and supports nothing."""
    paid: Row = mapped(row, lambda part: in_group(part) if isinstance(part, Cell) else part)
    return replace(paid, label=f"killing pays, {row.label}", role="doubt")


BOTH_READINGS = (
    "By default nobody has a motive to kill. The text says twice that killing pays, so that a refutation counts only "
    "where it holds in a game in which it does, too: the rows “killing pays”, of 630 agents under the reading “group”."
)
"""Of claims on why agents kill."""
STILL_RISING = (
    "Learning that has only begun when our budget ends is judged as it stands then: a number that is not reached is "
    "refuted for this budget."
)
"""Of claims that the table's numbers are reached."""


def far_and_near() -> tuple[Row, Row]:
    """Of 630 trained agents those further from food kill more, and those near it eat more."""
    agents, learnt = trained(630), learnt_to_eat(630)
    deaths = Margin(0.022, "a tenth of the printed deaths, 140 of 630 agents")
    food = Margin(0.025, "a tenth of 160 pieces for 630 agents")
    return (
        Row(
            "630 agents: the outermost third kills more than the innermost",
            at_last(agents, KILLS + OUTER),
            at_last(agents, KILLS + INNER),
            Exceeds(deaths),
            "end",
            learnt=learnt,
        ),
        Row(
            "630 agents: the innermost third eats more than the outermost",
            at_last(agents, EATEN + INNER),
            at_last(agents, EATEN + OUTER),
            Exceeds(food),
            "end",
            learnt=learnt,
        ),
    )


def budgets(*sizes: int) -> dict[str, dict[str, Budget]]:
    """What each profile runs. Of who learns nothing one test is enough; the profiles repeat it."""
    found: dict[str, dict[str, Budget]] = {}
    for profile, n_seeds in N_SEEDS.items():
        n_tests = 1 if profile == "smoke" else 2
        found[profile] = {}
        for n in sizes or SIZES:
            learning = Budget(n_seeds, ITERATIONS[profile][n] * PER_ITERATION * HORIZON)
            found[profile][place(n)] = learning
            for cell in (untrained(n), in_group(untrained(n)), level("Uniform", n), level("Script", n)):
                found[profile][f"{cell.name} on {place(n)}"] = Budget(n_seeds, n_tests * UNTRAINED.steps_per_iteration)
    return found


SURVIVAL_DECISIONS = (
    Decision(
        "Which game is Survival?",
        "MAgent's gathering game, with 12 neighbouring cells to move to and staying, 8 to attack, and two turns; on "
        "100 × 100 cells with 230 agents, on 200 × 200 with 630. Food lies on MAgent's squares around the middle, "
        "agents on its three squares around it, both spread evenly.",
        "The paper names the engine, the numbers of agents and food, the actions and the rewards; hit points, damage "
        "and views are those of MAgent's game. The sides are chosen by the printed rewards before training alone: "
        "random play gets about −1350 and −3940 on them, and −2480 with 630 on 100 × 100; printed are −1530 and −3800. "
        "The outermost food is 2 and 4 cells from the innermost agents, so that a tenth of 230 and a thirtieth of 630 "
        "agents see some at the start: “agents who can observe the food within their sensing range choose to rush "
        "in”.",
    ),
    Decision(
        "What does an agent see?",
        "The cells around it within MAgent's radius of 7; and whether it lives, its hit points, heading and place, its "
        "last action and last reward.",
        "The text adds “the agents ID”. It is left out: agents are to be “statistically identical”, and share one "
        "policy. Heading and hit points are added, for whoever turns must know where to.",
        departs=True,
    ),
    Decision(
        "Which attacks cost 0.1?",
        "All that are carried out, at agents, at food and at nothing, as in MAgent's game.",
        "The text says “If the agent attacks another agent, it receives a penalty of -0.1”. Were it for those alone, "
        "an agent could lose 2 by 200 steps, 1 by its death and hardly more by blows, each of which kills; printed are "
        "6.65 and 6.03 before training.",
        departs=True,
    ),
    Decision(
        "Does killing pay?",
        "No. An attack costs 0.1, food that is eaten pays 5, a step costs 0.01, death 1.",
        "The paper says of rewards both that “if it chooses to attack another agent by forming a group it receives an "
        "award of 1” and that agents “also get reward for killing other agents (reward for eating food is higher)”; "
        "and also that killing “results in a small negative reward”. In MAgent's game `attack_in_group: 1` only "
        "permits to hit one's own group, which is permitted here. So by default nobody has a motive for the killing "
        "that the paper sees: what is said of it with 630 agents counts as refuted only where the reading “group” "
        "refutes it, too.",
        departs=True,
        readings=(GROUP,),
    ),
    Decision(
        "What does a hit on food pay?",
        "0.5 where it does not eat it; a game ends when no food or no agent is left.",
        "So MAgent's game, and only with that do the printed rewards add up. A script that sends everybody to the "
        "nearest food gets 936 with 230 agents, all of whom live, and 700 with 630; printed are 946 and 674.",
        departs=True,
        readings=(UNPAID,),
    ),
    Decision(
        "Whose steps move θ?",
        "Those of the agents who adapt, before and after they have.",
        "So equation (14), with a sum over the sampled agents.",
        readings=(ALL_DATA,),
    ),
    Decision(
        "Are there 225 or 230 agents?",
        "230.",
        "The paper writes both.",
    ),
    Decision(
        "What is the average reward?",
        "The sum over agents of what they get in a game; the mean over games.",
        "“The average reward over agents” is what the text says, but a mean over agents of 946 is impossible: food "
        "pays 800, and with hits 1120, which among 230 are 4.9 each. The printed −1530 and −3800 before training are "
        "−6.65 and −6.03 an agent, which fits 200 steps at 0.01 and an attack at 0.1 in a fifth of them, if nobody "
        "dies.",
    ),
    Decision(
        "Which 100 games?",
        "20 of every seed, 120 of six seeds together. Actions are sampled. A game ends when no food or no agent is "
        "left, or after 200 steps.",
        "The paper does not say whether actions are sampled. The likeliest action of an untrained policy is one and "
        "the same nearly everywhere, and would not be paid what is printed for the beginning.",
    ),
    Decision(
        "Who adapts?",
        "8 agents, drawn anew in every iteration, in games of their own where all others act with θ; one episode of "
        "each and one of θ, which are 25 episodes in an iteration.",
        "The paper samples from the population and does not say how many; elsewhere it prints 25 episodes for every "
        "agent. An episode of 630 agents costs 200 times one of cooperative navigation.",
        departs=True,
    ),
    Decision(
        "What moves θ?",
        "Plain gradient ascent with ε = 0.05.",
        "REINFORCE for both levels and ε are printed.",
    ),
    Decision(
        "What does the baseline see?",
        "The agent's own condition (alive, hit points, heading, place, last reward and action) and time. All agents "
        "that adapt share one baseline, and the scale of their advantages and returns.",
        "The paper refits a linear baseline for every agent. With the view of 745 entries it would have 1558 weights "
        "for the 200 steps of one episode.",
        departs=True,
    ),
    Decision(
        "How long is training?",
        f"{ITERATIONS['paper'][230]} iterations with 230 agents and {ITERATIONS['paper'][630]} with 630, of 25 "
        "episodes each, in `quick` and in `paper`.",
        "Nothing is printed. These are bounds, stated before either game was run as it is now: with them, and six "
        "seeds, all that the paper's sentences speak of but the late stretch of Figure 3 (DIMA-F3-2) takes 43 hours of "
        "one core. An iteration with 630 agents takes more than three times as long as one with 230, 95 s and 28 s of "
        "one core for six seeds, so that each game gets a little over three hours, and that of 630 in which killing "
        "pays as much again. Who eats no more by then than "
        "before training has not learnt, which refutes nothing; who eats more is judged as it stands, also where it "
        "still gets better.",
    ),
    *(replace(decision, readings=()) for decision in DECISIONS),
)
"""What the paper leaves open of Survival, and of everything."""

POSSIBLE = (
    Decision(
        "Can 230 agents get 946, and 630 agents 674?",
        "Yes, if hits on food pay and all is eaten in some 40 steps: 800 for 160 pieces, 320 for 640 hits, less 80 for "
        "800 attacks, 3 deaths and 0.01·229·40 for living are 945. With 630: 800 + 320 − 80 − 140 (deaths) − 14 "
        "(attacks on agents) − 0.01·560·38 are 673.",
        "So the values can be tested. That they are possible does not say that they were so.",
    ),
)
"""What the printed rewards are made of."""
