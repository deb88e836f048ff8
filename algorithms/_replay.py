"""Experience of E copies a seed that play episodes of fixed length in step: every state is stored once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from environments import Streams, side_by_side


class Transitions(NamedTuple):
    """What is learnt from. States are the environment's own, with B in the place of the copies' axis."""

    state: Any  # every field [S, B, …]
    actions: Tensor  # [S, B, A, n]
    reward: Tensor  # [S, B, A]
    next_state: Any
    elapsed: Tensor  # [S, B] int64: the steps that came before in its episode


@dataclass
class Replay:
    """A ring of the newest transitions of every seed, `capacity` at most, spread evenly over its copies.

    A copy's steps lie one behind the other, `[state, actions, reward]` a row, with one more row for the state in which
    an episode ends: a transition is a row and the state of the row after it. Memory therefore grows by one state a
    step, not two, and one gather reads both. The ring grows by doubling up to its capacity.
    """

    rows: Tensor  # [S, E, R, width]
    n_steps: int  # steps so far, of every copy
    horizon: int
    capacity: int
    kind: type  # of the states, a NamedTuple
    shapes: tuple[torch.Size, ...]  # of the state's fields
    actions_shape: torch.Size  # [A, n]

    @classmethod
    def of(cls, state: Any, actions: Tensor, *, horizon: int, capacity: int) -> Replay:
        """An empty ring for states, and actions [S, E, A, n], like these."""
        n_seeds, n_envs, n_agents = actions.shape[:3]
        width = side_by_side(state).shape[-1] + actions[0, 0].numel() + n_agents
        n_episodes = min(16, _most_episodes(capacity, n_envs, horizon))
        rows = actions.new_zeros(n_seeds, n_envs, n_episodes * (horizon + 1), width)
        shapes = tuple(field.shape[2:] for field in state)
        return cls(rows, 0, horizon, capacity, type(state), shapes, actions.shape[2:])

    @property
    def n_envs(self) -> int:
        """Copies a seed."""
        return self.rows.shape[1]

    def append(self, state: Any, actions: Tensor, reward: Tensor, next_state: Any) -> None:
        """One step of all copies. Shapes: actions [S, E, A, n], reward [S, E, A].

        Within an episode the state is the one that the step before led to, which is there already.
        """
        row, n_state = self._row(self.n_steps), self._state_size
        if self.n_steps % self.horizon == 0:
            _write(state, self.rows[:, :, row, :n_state])
        torch.cat([*actions.unbind(2), reward], dim=-1, out=self.rows[:, :, row, n_state:])
        _write(next_state, self.rows[:, :, row + 1, :n_state])
        self.n_steps += 1
        self._grow()

    def leaving(self) -> Tensor | None:
        """The rewards [S, E, A] that can no longer be sampled after the next step; None where there is room."""
        if self.n_steps < self._room:
            return None
        return self.rows[:, :, self._row(self.oldest), -self.actions_shape[0] :].clone()

    def sample(self, streams: Streams, batch_size: int, *, oldest: int = 0) -> Transitions:
        """`batch_size` transitions a seed, uniform with replacement, none before the copies' step `oldest`."""
        return self.taken(self.drawn(streams, batch_size, oldest=oldest))

    def drawn(self, streams: Streams, batch_size: int, *, oldest: int = 0) -> Tensor:
        """Which transitions `sample` takes, counted as in `numbered`. Shapes: [S, B] int64."""
        oldest = max(oldest, self.oldest)
        return streams.integers(batch_size, high=(self.n_steps - oldest) * self.n_envs).add_(oldest * self.n_envs)

    def between(self, first: int, last: int) -> Transitions:
        """All transitions of the copies' steps first … last-1, in the order of time.

        Raises: ValueError where some of them are no longer, or not yet, held.
        """
        return self.numbered(first * self.n_envs, last * self.n_envs)

    def numbered(self, first: int, last: int) -> Transitions:
        """The transitions first … last-1 of each seed, counted in the order of time: E of them come with every step.

        Raises: ValueError where some of them are no longer, or not yet, held.
        """
        held = self.oldest * self.n_envs, self.n_steps * self.n_envs
        if not held[0] <= first < last <= held[1]:
            raise ValueError(
                f"replay holds transitions {held[0]} … {held[1] - 1}, asked for {first} … {last - 1}; "
                f"{self.n_envs} come with every step"
            )
        return self.taken(torch.arange(first, last, device=self.rows.device).expand(self.rows.shape[0], -1))

    @property
    def _episodes(self) -> int:
        return self.rows.shape[2] // (self.horizon + 1)

    @property
    def oldest(self) -> int:
        """The first step of the copies that is still held."""
        return max(0, self.n_steps - self._room)

    @property
    def _room(self) -> int:
        """How many steps of every copy are held at most."""
        n_episodes = _most_episodes(self.capacity, self.n_envs, self.horizon)
        # One transition less than there are rows for: writing a state spoils the row that it stands in.
        return min(n_episodes * self.horizon - 1, self.capacity // self.n_envs)

    @property
    def _state_size(self) -> int:
        return sum(shape.numel() for shape in self.shapes)

    def _row(self, step: int) -> int:
        episode, elapsed = divmod(step, self.horizon)
        return episode % self._episodes * (self.horizon + 1) + elapsed

    def _grow(self) -> None:
        n_episodes = _most_episodes(self.capacity, self.n_envs, self.horizon)
        if self.n_steps == self._episodes * self.horizon and self._episodes < n_episodes:
            room = min(2 * self._episodes, n_episodes) * (self.horizon + 1)
            grown = self.rows.new_zeros(*self.rows.shape[:2], room, self.rows.shape[3])
            grown[:, :, : self.rows.shape[2]] = self.rows
            self.rows = grown

    def taken(self, numbers: Tensor) -> Transitions:
        """The transitions of these numbers, each seed's own, counted as in `numbered`. Shapes: numbers [S, B]."""
        n_seeds, n_envs, room, width = self.rows.shape
        steps = numbers // n_envs
        episodes = steps // self.horizon
        copies = torch.sub(numbers, steps, alpha=n_envs)
        elapsed = torch.sub(steps, episodes, alpha=self.horizon)
        row = torch.add(elapsed, episodes.remainder_(self._episodes), alpha=self.horizon + 1)
        index = row.add_(copies, alpha=room).add_(_first_rows(n_seeds, n_envs * room, self.rows.device))
        # Every row together with the one after it, as overlapping windows: no second gather for the next state.
        windows = self.rows.as_strided((n_seeds * n_envs * room - 1, 2 * width), (width, 1))
        found = windows.index_select(0, index.flatten()).unflatten(0, index.shape)
        n_state, n_actions = self._state_size, self.actions_shape.numel()
        return Transitions(
            self._state(found[..., :n_state]),
            found[..., n_state : n_state + n_actions].unflatten(-1, self.actions_shape),
            found[..., n_state + n_actions : width],
            self._state(found[..., width : width + n_state]),
            elapsed,
        )

    def _state(self, rows: Tensor) -> Any:
        parts = rows.split([shape.numel() for shape in self.shapes], dim=-1)
        return self.kind(*(part.unflatten(-1, shape) for part, shape in zip(parts, self.shapes, strict=True)))


def _write(state: Any, place: Tensor) -> None:
    """Fields of a state as one row of every copy. Shapes: fields [S, E, …], place [S, E, Σ]."""
    torch.cat([field.flatten(2) for field in state], dim=-1, out=place)


@functools.cache
def _first_rows(n_seeds: int, apart: int, device: torch.device) -> Tensor:
    """Where the rows of every seed begin. Shapes: [S, 1]."""
    return torch.arange(0, n_seeds * apart, apart, device=device)[:, None]


def _most_episodes(capacity: int, n_envs: int, horizon: int) -> int:
    """For how many episodes of every copy there are rows; two at least, for one transition's worth is always spoilt."""
    return max(2, -(-capacity // (n_envs * horizon)))


@dataclass
class Moments:
    """How the rewards that can be sampled from a replay are distributed, kept up to date as they come and go."""

    totals: Tensor  # [S, 3, A] float64: number, sum, sum of squares

    @classmethod
    def of(cls, n_seeds: int, n_agents: int, device: torch.device) -> Moments:
        """Of no rewards."""
        return cls(torch.zeros(n_seeds, 3, n_agents, dtype=torch.float64, device=device))

    def exchange(self, entering: Tensor, leaving: Tensor | None) -> None:
        """Rewards come, and others go. Shapes: [S, E, A]."""
        number, sums = self.totals[:, 0], self.totals[:, 1:]
        sums += _sums(entering)
        if leaving is None:
            number += entering.shape[1]
        else:
            sums -= _sums(leaving)

    def normalised(self, reward: Tensor) -> Tensor:
        """(r - mean)/std, each agent's by its own. Shapes: [S, B, A].

        Source: shariqiqbal2810/maddpg-pytorch@3a27dec utils/buffer.py `ReplayBuffer.sample` with `norm_rews`.
        """
        number, total, squares = self.totals.unbind(1)
        mean = total / number
        variance = (squares / number - mean.square()).clamp_min(0.0)
        mean, std = (moment.to(reward.dtype).unsqueeze(1) for moment in (mean, variance.sqrt()))
        return (reward - mean) / std.clamp_min(1e-8)  # where all are equal, each is 0


def _sums(reward: Tensor) -> Tensor:
    precise = reward.double()
    # One copy after the other: the order of a sum must not depend on how many seeds there are.
    terms = torch.stack([precise, precise.square()], dim=1)  # [S, 2, E, A]
    return functools.reduce(torch.add, terms.unbind(2))
