"""Hare-Hunters and Stag-Hunters: hunters on a torus of cells catch prey, and each of them may hit only once.

A hare is caught by one hunter, a stag by several, and whoever has hit prey is frozen for the rest of the game. The
hunters must therefore divide the prey among themselves, and in Stag-Hunters agree on who goes together.

The paper leaves open who moves first, what is near enough, how hits are counted and who comes first where several
could. What is decided here stands at `Hunters` and at the lines where it happens.

Source: MACE (Zheng and Yue 2018), experiments section; the games are named there by (N, M, H, T).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from environments import Bounds, Count, Discrete, Planes, Role, Streams, check
from environments._particles import others, validate

DIRECTIONS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
"""The five choices of a hunter, and the five moves of prey."""

LARGEST_GRID = torch.iinfo(torch.int16).max
"""Of a side, for distances are measured in int16."""


class Hunt(NamedTuple):
    """Where everyone is, and who has hit what. All are int64.

    Shapes: hunters [S, E, N, 2] and prey [S, E, M, 2] are cells (x, y); hits [S, E, M] is how many hunters each prey
        still needs, 0 where it is caught; captured [S, E, N] is which prey each hunter has hit, −1 while it is free;
        t [S, E, 1] is how many steps have been played.
    """

    hunters: Tensor
    prey: Tensor
    hits: Tensor
    captured: Tensor
    t: Tensor


@dataclass(frozen=True)
class Hunters:
    """The (N, M, H, T) game of either name: `n_hunters`, `n_prey`, `hits_per_stag` and `horizon` on a G×G torus.

    In a step all free hunters and, if they are `moving`, all live prey go at once; then hunters that are free hit prey
    whose Manhattan distance on the torus is at most 1. Hunters come in the order of their index, each hits the prey of
    lowest index that is near and still needs a hit, and is frozen. So exactly as many hunters hit prey as it needs,
    they need not come together, and prey that has been hit but is not caught goes on. Caught prey stays where it is.
    Any number of hunters and prey may be in one cell.

    The game ends when all prey are caught, all hunters are frozen, or after T steps. The limit is a rule of the game:
    what is paid is paid then, and the step that reaches it is reported as terminated. A copy that has ended stays as it
    is, is terminated, and pays nothing more, whatever it is stepped with.

    Units: only the step that ends a game pays. In Hare-Hunters every hunter gets 1 if all prey are caught in time, else
        0: a success is worth N. In Stag-Hunters each hunter gets 1 if it has hit a stag that was caught in time, 0.1
        if it has hit a hare, else 0, however the game ended.
    Raises: ValueError where there is no stag in Stag-Hunters, or the grid is larger than `LARGEST_GRID`.
    """

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = True

    game: Literal["Hare-Hunters", "Stag-Hunters"] = "Hare-Hunters"
    """In Stag-Hunters the first half of the prey are stags and the others hares, in Hare-Hunters all are hares."""
    n_hunters: int = 10
    n_prey: int = 10
    moving: bool = False
    """Whether live prey walks: it stays or goes to one of four sides, each with probability 1/5."""
    hits_per_stag: Count = 2
    """Hares need one."""
    grid: Count = 50
    horizon: int = 2000
    stag_reward: float = 1.0
    hare_reward: float = 0.1
    """In Stag-Hunters."""

    def __post_init__(self) -> None:
        check(self)
        if self.game == "Stag-Hunters" and not self.n_stags:
            raise ValueError(f"the first half of the prey are stags: n_prey must be at least 2, got {self.n_prey}")
        if self.grid > LARGEST_GRID:
            raise ValueError(f"grid must be at most {LARGEST_GRID}, got {self.grid}")

    @property
    def n_stags(self) -> int:
        """How many of the prey, the first ones, are stags."""
        return self.n_prey // 2 if self.game == "Stag-Hunters" else 0

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role, for hunters are alike."""
        return (Role("hunter", self.n_hunters, (3 * (self.n_hunters + self.n_prey) + 1,), Discrete(5)),)

    @property
    def planes(self) -> Planes:
        """Each hunter alone, N in all; free hunters; frozen ones; caught prey; live hares; stags by the hits they need.

        With stags that need two that makes N + 6, and N + 4 where there are none.
        """
        return Planes(self.n_hunters + 4 + (self.hits_per_stag if self.n_stags else 0), self.grid, self.grid)

    def reset(self, streams: Streams, n_envs: int) -> Hunt:
        """Hunters and prey in uniformly drawn cells. Who starts next to prey may hit it in the first step."""
        cell = streams.integers(n_envs, self.n_hunters + self.n_prey, 2, high=self.grid)
        hunters, prey = (place.contiguous() for place in cell.split([self.n_hunters, self.n_prey], 2))
        hits = _needed(self.n_stags, self.hits_per_stag, self.n_prey, cell.device).expand(*prey.shape[:3]).clone()
        captured = torch.full_like(hunters[..., 0], -1)
        return Hunt(hunters, prey, hits, captured, torch.zeros_like(captured[..., :1]))

    def step(self, state: Hunt, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Hunt, Tensor, Tensor]:
        """Everyone moves, then hunters hit what is near; the last step pays."""
        validate(self.roles, actions, state.t.shape[:2])
        before = _inside_out(state)
        over = self._ended(before)  # [S, E]
        free = (before.captured < 0) & ~over
        hunters, prey = self._moved(before.hunters, actions[0], free), before.prey
        if self.moving:
            drawn = streams.integers(state.t.shape[1], self.n_prey, high=5)
            prey = self._moved(prey, drawn, (before.hits > 0) & ~over)
        hits, captured = self._captures(before._replace(hunters=hunters, prey=prey), free)
        after = Hunt(hunters, prey, hits, captured, before.t + ~over)
        ended = self._ended(after)
        reward = self._reward(after) * (ended & ~over)
        return Hunt(*(copies_first(field.long()) for field in after)), copies_first(reward).contiguous(), ended

    def observe(self, state: Hunt) -> tuple[Tensor, ...]:
        """Where the hunter is, where the other hunters and then the prey are, everyone's status, and the time.

        Its own place is absolute and those of others are relative, the shorter way round the torus; both are in half
        grids, within [−1, 1). The status of a hunter is 1 where it is frozen, that of prey the hits that it still
        needs. The time is t/T.
        """
        hunters, prey, hits, captured, t = _inside_out(state)
        order = _own_first(self.n_hunters, self.n_prey, t.device)
        place = torch.cat([hunters, prey]).float()[order]  # [N, N + M, 2, S, E]
        own, other = place[:, :1], place[:, 1:]
        position = torch.cat([own - self.grid / 2, _shortest(other - own, self.grid)], 1) * (2 / self.grid)
        status = torch.cat([(captured >= 0).int(), hits]).float()[order]  # [N, N + M, S, E]
        time = (t.float() / self.horizon).expand(self.n_hunters, -1, -1, -1)
        seen = torch.cat([position.flatten(1, 2), status, time], 1)  # [N, F, S, E]
        # A transposition of two axes: with four it takes several times as long.
        rows = seen.flatten(2).flatten(0, 1).t().contiguous()
        return (rows.view(*state.t.shape[:2], self.n_hunters, -1),)

    def full_state(self, state: Hunt) -> Tensor:
        """The fields one after the other, as they are: cells of hunters and prey, hits, captured prey, steps played."""
        return torch.cat([field.flatten(2) for field in state], -1).float()

    def cells(self, state: Hunt) -> Tensor:
        """Every hunter twice, alone and among the free or frozen, then every prey once. Shapes: [S, E, 2N + M] int64.

        Cell (x, y) is row x and column y of a plane. Two free hunters in one cell are two marks at one place, and so
        are two prey of one status.
        """
        hunters, prey, hits, captured, t = _inside_out(state)
        status = self.n_hunters + (captured >= 0).int()
        # A live hare has a plane of its own, for it is not a stag that needs one hit.
        hunted = self.n_hunters + 2 + hits + ((hits > 0) & self._stags(t.device))
        plane = torch.cat([_indices(self.n_hunters, t.device).expand_as(status), status, hunted])
        x, y = torch.cat([hunters, hunters, prey]).long().unbind(1)
        return copies_first((plane * self.grid + x) * self.grid + y).contiguous()

    def free(self, state: Hunt) -> Tensor:
        """Hunters that are not frozen. Shapes: [S, E, N] bool."""
        return state.captured < 0

    def elapsed(self, state: Hunt) -> Tensor:
        """Steps that have been played. Shapes: [S, E]."""
        return state.t[..., 0]

    def observation_bounds(self) -> tuple[Bounds, ...]:
        """Places within [−1, 1]; frozen or not; the hits that each prey may still need; a share of the time."""
        places = torch.ones(2 * (self.n_hunters + self.n_prey))
        needed = self._needed_at_first()
        status = torch.cat([torch.ones(self.n_hunters), needed, torch.ones(1)])
        return (Bounds(torch.cat([-places, torch.zeros_like(status)]), torch.cat([places, status])),)

    def state_bounds(self) -> Bounds:
        """Cells, hits, which prey, and steps."""
        cells = torch.full((2 * (self.n_hunters + self.n_prey),), self.grid - 1.0)
        needed = self._needed_at_first()
        which = torch.full((self.n_hunters,), self.n_prey - 1.0)
        time = torch.tensor([float(self.horizon)])
        low = torch.cat([torch.zeros_like(cells), torch.zeros_like(needed), -torch.ones_like(which), torch.zeros(1)])
        return Bounds(low, torch.cat([cells, needed, which, time]))

    def marks(self, state: Hunt) -> tuple[int, list[tuple[int, int, str]]]:
        """Prey that lives (stags brown, hares green) or is caught (grey), then hunters, frozen ones lighter."""
        prey = [
            (x, y, "grey" if not hits else "brown" if j < self.n_stags else "green")
            for j, ((x, y), hits) in enumerate(zip(state.prey.tolist(), state.hits.tolist(), strict=True))
        ]
        hunters = [
            (x, y, "blue" if hit < 0 else "light")
            for (x, y), hit in zip(state.hunters.tolist(), state.captured.tolist(), strict=True)
        ]
        return self.grid, [*prey, *hunters]

    def _needed_at_first(self) -> Tensor:
        return _needed(self.n_stags, self.hits_per_stag, self.n_prey, torch.device("cpu")).float()

    def _moved(self, place: Tensor, choice: Tensor, may: Tensor) -> Tensor:
        """Shapes: place [n, 2, S, E], choice [S, E, n], whether anyone may move [n, S, E]; returns [n, 2, S, E]."""
        choice = copies_last(choice) * may
        stride = _directions(place.device).index_select(1, choice.flatten()).view(2, *choice.shape)
        return (place + stride.transpose(0, 1)).remainder(self.grid)

    def _captures(self, state: Hunt, free: Tensor) -> tuple[Tensor, Tensor]:
        """The hits that prey still needs and what each hunter has hit, when all who may have hit, one after the other.

        What a hunter hits depends on those before it only. So what is assumed of the first n near any prey in a copy is
        right after n rounds, and nothing changes any more when all is right. Few are near any, and so this is done for
        those alone, in a list by copies.

        Shapes: a state with copies last, and which hunters may hit [N, S, E]; returns [M, S, E] and [N, S, E].
        """
        apart = self._apart(state).flatten(2)  # [N, M, S·E]
        copy, hunter = ((apart.amin(1) <= 1) & free.flatten(1)).t().nonzero().unbind(1)
        near, needed = apart[hunter, :, copy] <= 1, state.hits.flatten(1).t()[copy]  # [near any, M]
        first = torch.searchsorted(copy, copy)  # of the same copy
        hit = torch.zeros_like(near)
        while True:
            earlier = hit.cumsum(0) - hit.long()
            open_to = near & (earlier - earlier[first] < needed)
            now = open_to & (open_to.cumsum(1) == 1)
            if torch.equal(now, hit):
                break
            hit = now
        hits = state.hits.flatten(1).index_add(1, copy, hit.t().int(), alpha=-1)
        which = torch.where(hit.any(1), hit.int().argmax(1), -1).int()
        captured = state.captured.flatten(1).index_put((hunter, copy), which)
        return hits.view_as(state.hits), captured.view_as(state.captured)

    def _apart(self, state: Hunt) -> Tensor:
        """Distances on the torus of hunters and prey, of a state with copies last. Shapes: [N, M, S, E] int16.

        Not in int32, for these are the largest tensors of a step.
        """
        apart = (state.hunters.short().unsqueeze(1) - state.prey.short()).abs_()  # [N, M, 2, S, E]
        x, y = torch.minimum(apart, apart.neg().add_(self.grid), out=apart).unbind(2)
        return x.add_(y)

    def _ended(self, state: Hunt) -> Tensor:
        """Whether the game is over, of a state with copies last. Shapes: [S, E] bool."""
        caught, frozen = (state.hits == 0).all(0), (state.captured >= 0).all(0)
        return caught | frozen | (state.t[0] >= self.horizon)

    def _reward(self, state: Hunt) -> Tensor:
        """What each hunter would get if the game ended now, of a state with copies last. Shapes: [N, S, E]."""
        caught = state.hits == 0  # [M, S, E]
        if self.game == "Hare-Hunters":
            return caught.all(0, keepdim=True).expand_as(state.captured).float()
        worth = torch.where(self._stags(caught.device), self.stag_reward, self.hare_reward).float() * caught
        return worth.gather(0, state.captured.clamp_min(0).long()) * (state.captured >= 0)

    def _stags(self, device: torch.device) -> Tensor:
        """Which prey are stags. Shapes: [M, 1, 1] bool."""
        return _indices(self.n_prey, device) < self.n_stags


def copies_last(x: Tensor) -> Tensor:
    """The same tensor with seeds and copies behind and innermost in memory. Shapes: [S, E, …] to […, S, E]."""
    return x.permute(*range(2, x.dim()), 0, 1).contiguous()


def copies_first(x: Tensor) -> Tensor:
    """The reverse, as a view: memory stays as it is. Shapes: […, S, E] to [S, E, …]."""
    return x.permute(-2, -1, *range(x.dim() - 2))


def _inside_out(state: Hunt) -> Hunt:
    """The state as it is worked on, in int32 and with copies last.

    With two numbers in the innermost loop, or twenty, everything takes many times as long, and so do minima of int64.
    """
    return Hunt(*(copies_last(field.int()) for field in state))


def _shortest(offset: Tensor, grid: int) -> Tensor:
    """The same offset on a torus, in [−G/2, G/2), without rounding. Shapes: any."""
    return offset - (offset / grid + 0.5).floor() * grid


@functools.cache
def _directions(device: torch.device) -> Tensor:
    """`DIRECTIONS` as a tensor. Shapes: [2, 5] int32."""
    return torch.tensor(DIRECTIONS, dtype=torch.int32, device=device).t().contiguous()


@functools.cache
def _indices(n: int, device: torch.device) -> Tensor:
    """0 … n-1, for copies last. Shapes: [n, 1, 1] int32."""
    return torch.arange(n, dtype=torch.int32, device=device)[:, None, None]


@functools.cache
def _needed(n_stags: int, hits_per_stag: int, n_prey: int, device: torch.device) -> Tensor:
    """How many hits each prey needs at first. Shapes: [M]."""
    return torch.tensor([hits_per_stag] * n_stags + [1] * (n_prey - n_stags), device=device)


@functools.cache
def _own_first(n_hunters: int, n_prey: int, device: torch.device) -> Tensor:
    """In which order each hunter sees hunters and prey: itself, the others, the prey. Shapes: [N, N + M]."""
    prey = range(n_hunters, n_hunters + n_prey)
    return torch.tensor([[i, *others(n_hunters, i), *prey] for i in range(n_hunters)], device=device)


HARE_HUNTERS = Hunters("Hare-Hunters")
STAG_HUNTERS = Hunters("Stag-Hunters", horizon=1000)
