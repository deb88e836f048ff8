"""How far local policies get with what they see and hear: taught until nothing improves.

A CTEDD learner that learns no more teaches fresh students on the states that its replay holds, drawn at random, pass
after pass, by equation (6). One copy of its games is held out. Where the loss there has not fallen by a thousandth for
`patience` passes, a student's steps become a quarter as large, and after `n_stages` such stages it is done. It is
tested as it was when that loss was lowest.

Every seed is taught, held back and stopped by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _losses as losses
from algorithms._copies import seen
from algorithms._ledger import Ledger
from algorithms._local_policies import LocalPolicies, single_team
from algorithms._networks import clone, tensors
from algorithms._optimizers import Adam, clip_by_norm
from algorithms._replay import Replay
from algorithms.ctedd import CTEDD, Actor
from environments import Count, Env, Streams, check

LOSS = "held-out loss L-{}"
IMPROVED, SMALLER = 1e-3, 0.25
PRINTED = CTEDD()


@dataclass
class Pupil:
    """A student of one message size, what it was at its best, and what shall become of it."""

    policies: LocalPolicies
    optimizer: Adam
    best: LocalPolicies
    lowest: Tensor  # [S]: the held-out loss at its best
    waited: Tensor  # [S] int64: passes since that last fell
    stage: Tensor  # [S] int64


@dataclass
class TuitionState:
    """What teaching owns."""

    steps: int  # passes
    streams: Streams
    ledger: Ledger
    actor: Actor  # the teacher's
    replay: Replay
    held_out: Replay  # of one copy
    pupils: list[Pupil]


@dataclass(frozen=True)
class Tuition:
    """Teaches students of every message size of the learner's; its network, batch, first step and clip are theirs too.

    Units: a step is a pass, as many states as replay holds but for what is held out; none is taken in the environment.
    """

    learner: CTEDD = PRINTED
    patience: Count = 3
    n_stages: Count = 4

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check(self)
        if self.learner.n_envs < 2:
            raise ValueError("one copy is held out, so that n_envs of the learner must be 2 or more, got 1")

    @property
    def metrics(self) -> Mapping[str, str]:
        """What is measured after every pass."""
        unit = "squared distance of all agents' actions from the teacher's, on the states of the copy that is held out"
        return {LOSS.format(size): unit for size in self.learner.message_sizes}

    def init(self, env: Env[Any], streams: Streams) -> TuitionState:
        """Fresh students, whose teacher is still untrained and has seen nothing: `Handover` replaces it."""
        team, blank = single_team(env), self.learner.init(env, streams)
        sizes = self.learner.message_sizes
        born = [LocalPolicies.of(streams, team, size, self.learner.hidden, team.n_actions) for size in sizes]
        replay, held_out = parted(blank.replay)
        return TuitionState(
            steps=0,
            streams=streams,
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
            actor=blank.actor,
            replay=replay,
            held_out=held_out,
            pupils=[_pupil(policies, streams) for policies in born],
        )

    def advance(self, env: Env[Any], state: TuitionState) -> None:
        """A pass, after which every student's loss is looked at."""
        learning = [pupil for pupil in state.pupils if (pupil.stage < self.n_stages).any()]
        if learning:
            n_held = (state.replay.n_steps - state.replay.oldest) * state.replay.n_envs
            for _ in range(-(-n_held // self.learner.batch_size)):
                batch = state.replay.sample(state.streams, self.learner.batch_size)
                self._teach(env, state.actor, learning, batch.state)
            self._examine(env, state, learning)
        for size, pupil in zip(self.learner.message_sizes, state.pupils, strict=True):
            state.ledger.enter(LOSS.format(size), pupil.lowest.unsqueeze(1))
        state.steps += 1

    def policies(self, state: TuitionState) -> Mapping[str, Policy]:
        """The teacher "G", and "L-k" at its best."""

        def central(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
            return (torch.tanh(state.actor(env.full_state(game))).transpose(1, 2),)

        def local(pupil: Pupil) -> Policy:
            return lambda env, game: (torch.tanh(pupil.best(seen(env, game))).transpose(1, 2),)

        pupils = zip(self.learner.message_sizes, state.pupils, strict=True)
        return {"G": central} | {f"L-{size}": local(pupil) for size, pupil in pupils}

    @torch.no_grad()
    def _teach(self, env: Env[Any], actor: Actor, pupils: Sequence[Pupil], visited: Any) -> None:
        taught = torch.tanh(actor(env.full_state(visited))).mT.contiguous()  # [S, A, n, B]
        observed = seen(env, visited).mT.contiguous()
        for pupil in pupils:
            gradients = clip_by_norm(pupil.policies.imitating(observed, taught), self.learner.clip)
            rate = self.learner.learning_rate * SMALLER ** pupil.stage.to(taught.dtype)
            rate = torch.where(pupil.stage < self.n_stages, rate, 0.0)
            pupil.optimizer.step(tensors(pupil.policies), gradients, rate)

    @torch.no_grad()
    def _examine(self, env: Env[Any], state: TuitionState, pupils: Sequence[Pupil]) -> None:
        """Keep what has become better, and take smaller steps where nothing has for long."""
        held = state.held_out.between(state.held_out.oldest, state.held_out.n_steps).state
        taught, observed = torch.tanh(state.actor(env.full_state(held))), seen(env, held)
        for pupil in pupils:
            loss = by_seed(torch.tanh(pupil.policies(observed)), taught)
            fell, lower = loss < (1 - IMPROVED) * pupil.lowest, ~(loss >= pupil.lowest)  # who diverged is no better
            for best, now in zip(tensors(pupil.best), tensors(pupil.policies), strict=True):
                best.copy_(torch.where(lower.view(-1, *(1,) * (now.dim() - 1)), now, best))
            pupil.lowest = torch.where(lower, loss, pupil.lowest)
            waited = torch.where(fell, 0, pupil.waited + 1)
            pupil.stage = torch.where(waited >= self.patience, pupil.stage + 1, pupil.stage)
            pupil.waited = torch.where(waited >= self.patience, 0, waited)


@dataclass(frozen=True)
class Handover:
    """How tuition begins: the teacher is a learner that has been trained, and so is what it has seen."""

    version: ClassVar[int] = 1

    def __call__(
        self, algorithm: Tuition, env: Env[Any], learner: TuitionState, teachers: Sequence[tuple[Env[Any], Any]]
    ) -> None:
        """Put the trained teacher in the place of the fresh one."""
        ((_, taught),) = teachers
        learner.actor = clone(taught.actor)
        learner.replay, learner.held_out = parted(taught.replay)


def parted(replay: Replay) -> tuple[Replay, Replay]:
    """What all copies but the last have seen, and the last one."""
    most, last = replay.capacity // replay.n_envs, replay.n_envs - 1
    some, one = (rows.clone() for rows in replay.rows.split((last, 1), dim=1))
    return replace(replay, rows=some, capacity=most * last), replace(replay, rows=one, capacity=most)


def by_seed(local: Tensor, central: Tensor) -> Tensor:
    """Equation (6) of each seed: mean_b ‖π_local(o) - π_global(s)‖². Shapes: [S, A, B, n] → [S]."""
    return torch.stack([losses.distillation_loss(*pair) for pair in zip(local.split(1), central.split(1), strict=True)])


def _pupil(policies: LocalPolicies, streams: Streams) -> Pupil:
    never = torch.full((streams.n_seeds,), torch.inf, device=streams.device)
    none = torch.zeros(streams.n_seeds, dtype=torch.int64, device=streams.device)
    return Pupil(policies, Adam.of(tensors(policies)), clone(policies), never, none, none.clone())
