"""What the first of two agents does wherever it stands, and what its critic says: the fields of Figure 8."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from algorithms._copies import seen
from algorithms._networks import of_agent
from benchmarks import Cell, Curve, Measured
from benchmarks._drawing.plates import ORANGE, OfOne
from benchmarks._judging.scores import NotReachedError
from environments import Streams
from environments._particles import Particles
from results import Run

Place = tuple[float, float]

LOWER_LEFT: Place = (-0.75, -0.75)
UPPER_RIGHT: Place = (0.75, 0.75)


class Setting(NamedTuple):
    """A phase as the first agent finds it: where it is to go, and where the other one stands, halfway to its own."""

    phase: Literal["I", "II"]
    goal: Place
    other: Place


SETTINGS = (Setting("I", LOWER_LEFT, (0.33, 0.33)), Setting("II", UPPER_RIGHT, (-0.33, -0.33)))


def leaning(of: str, phase: str) -> str:
    """How the metric of a field is called, "force" or "slope": towards where the agent is to go in that phase."""
    return f"{of} towards the goal of Phase {phase}"


@dataclass(frozen=True)
class PolicyMap:
    """The greedy force of the first agent, and min(Q₁, Q₂) of the greedy joint action, on a grid of its places.

    Nobody moves, and the landmarks are in the middle of their boxes.

    Source: SamirW/pytorch-soft-actor-critic utils/heatmap.py.
    """

    n: int = 21
    """Places to a side of [−1, 1]²."""

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        leaning(of, setting.phase): f"cosine of {what} and the way to the goal, less that for the other landmark, "
        "halved; mean over the places of the first agent"
        for of, what in (("force", "the force"), ("slope", "the gradient of Q by the place"))
        for setting in SETTINGS
    }
    arrays: ClassVar[Mapping[str, str]] = {
        "force": "of the first agent, each entry in [-1, 1]; [phase, y, x, entry]",
        "value": "min(Q₁, Q₂) in normalised rewards; [phase, y, x]",
    }

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Both phases; `algorithm` is one that wraps MA-SAC."""
        force, value, metrics = [], [], {}
        for setting in SETTINGS:
            game = self._game(setting, streams)
            (actions,) = algorithm.policies(learner)["greedy"](env, game)  # [S, N, A, 2]
            first = of_agent(learner.critics, 0)
            q, _ = algorithm.learner.valued(first, seen(env, game), actions.transpose(1, 2))  # [S, N]
            force.append(actions[:, :, 0].unflatten(1, (self.n, self.n)))  # [S, y, x, 2]
            value.append(q.unflatten(1, (self.n, self.n)))
            slope = torch.stack(torch.gradient(value[-1], dim=(2, 1)), dim=-1)  # by x, by y
            place = game.position[:, :, 0].unflatten(1, (self.n, self.n))
            metrics[leaning("force", setting.phase)] = _leaning(force[-1], place, setting.goal)
            metrics[leaning("slope", setting.phase)] = _leaning(slope, place, setting.goal)
        return Measured(metrics, {"force": torch.stack(force, dim=1), "value": torch.stack(value, dim=1)})

    def _game(self, setting: Setting, streams: Streams) -> Particles:
        """One copy for every place of the first agent, x running fastest. Shapes: [S, N, 2, 2]."""
        side = torch.linspace(-1.0, 1.0, self.n, device=streams.device)
        y, x = torch.meshgrid(side, side, indexing="ij")
        first = torch.stack([x, y], dim=-1).flatten(0, 1)  # [N, 2]
        other = first.new_tensor(setting.other).expand_as(first)
        landmark = first.new_tensor([LOWER_LEFT, UPPER_RIGHT]).expand(len(first), 2, 2)
        position = torch.stack([first, other], dim=1)
        fields = (position, torch.zeros_like(position), landmark)
        return Particles(*(field.expand(streams.n_seeds, *field.shape).contiguous() for field in fields))


def _leaning(field: Tensor, place: Tensor, goal: Place) -> Tensor:
    """(cos(field, goal - place) - cos(field, other - place))/2, mean over places. Shapes: [S, y, x, 2] → [S]."""
    away = LOWER_LEFT if goal == UPPER_RIGHT else UPPER_RIGHT
    to_goal, to_other = (_cosine(field, field.new_tensor(end) - place) for end in (goal, away))
    return (to_goal - to_other).flatten(1).mean(dim=1) / 2


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    """0 where one of them is 0. Shapes: [S, y, x, 2] → [S, y, x]."""
    product = (one * other).sum(-1)
    lengths = one.square().sum(-1).sqrt() * other.square().sum(-1).sqrt()
    return torch.where(lengths > 0, product / lengths, torch.zeros_like(product))


@dataclass(frozen=True)
class Climbs:
    """How much the policy climbs Q, from the maps of the last test in one phase."""

    phase: Literal["I", "II"]

    @property
    def quantity(self) -> str:
        """What it is a number of, which is neither of the two maps."""
        return "cosine of force and gradient of Q"

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"cosine of the force and the gradient of Q by the place, mean over places, Phase {self.phase}"

    def __call__(self, curve: Curve) -> float:
        """1/N Σ cos(force, ∇Q), 0 where one of them is 0; NaN where a map is not finite.

        Raises: NotReachedError where the run has left no maps of this moment.
        """
        if not {"force", "value"} <= set(curve.arrays):
            raise NotReachedError
        row = [setting.phase for setting in SETTINGS].index(self.phase)
        force, value = (torch.from_numpy(curve.arrays[name][row].astype(np.float64)) for name in ("force", "value"))
        if not (force.isfinite().all() and value.isfinite().all()):
            return math.nan
        slope = torch.stack(torch.gradient(value, dim=(1, 0)), dim=-1)  # by x, by y
        return float(_cosine(force, slope).mean())


@dataclass(frozen=True)
class FieldPlate(OfOne):
    """Arrows of the policy over contours of the value, in one phase, of the first seed: a picture of one run."""

    title: str
    cell: Cell
    phase: Literal["I", "II"]

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Shown is the first seed. Contours: min(Q₁, Q₂) of the greedy joint action where the first agent stands "
            "there, in normalised rewards, yellow is high. Arrows: direction of its force. Stars: landmarks; the one "
            "with a ring is where it is to go. Disc: the other agent."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """25 levels of contours, and arrows of one length at every second place."""
        run = runs[0][min(runs[0])]
        row = [setting.phase for setting in SETTINGS].index(self.phase)
        force, value = run.arrays["force"][row], run.arrays["value"][row]
        side = np.linspace(-1.0, 1.0, len(value))
        filled = ax.contourf(side, side, value, levels=25, cmap="viridis")
        filled.set_edgecolor("face")  # no seams between the levels
        unit = force / np.maximum(np.linalg.norm(force, axis=-1, keepdims=True), 1e-12)
        few = unit[::2, ::2]
        ax.quiver(side[::2], side[::2], few[..., 0], few[..., 1], scale=18, width=0.005, color="white", pivot="tail")
        goal, other = SETTINGS[row].goal, SETTINGS[row].other
        for landmark in (LOWER_LEFT, UPPER_RIGHT):
            ax.plot(*landmark, marker="*", ms=11, mfc=ORANGE, mec="white", mew=0.8, ls="")
        ax.plot(*goal, marker="o", ms=17, mfc="none", mec=ORANGE, mew=1.5, ls="")
        ax.plot(*other, marker="o", ms=9, mfc="0.15", mec="white", mew=0.8, ls="")
        ax.set(aspect="equal", xlim=(-1, 1), ylim=(-1, 1), xlabel="x of the first agent", ylabel="y of the first agent")
        ax.set_xticks([-1, 0, 1])
        ax.set_yticks([-1, 0, 1])
        ax.figure.colorbar(filled, ax=ax, shrink=0.85, pad=0.02, ticks=_ticks(value), label="value")


def _ticks(value: Any) -> Any:
    """A few round numbers within the range."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  (training does without it)

    inside = MaxNLocator(4).tick_values(float(value.min()), float(value.max()))
    return [tick for tick in inside if value.min() <= tick <= value.max()]
