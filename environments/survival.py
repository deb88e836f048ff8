"""Survival: hundreds of agents eat food that does not grow back, and each of them can kill any other with one blow.

The paper names the engine, MAgent, the number of agents and of food, the map, the actions and the rewards. Everything
else is as in MAgent's own gathering game, which the paper's resembles: hit points, damage, what is seen. It differs
from that in moves, attacks and turning, which the engine has and its gathering game does not use.

The paper also says that attacking in a group pays +1. By default nothing does here: `attack_in_group: 1` of MAgent's
game, where that was probably read, only permits to hit one's own group, and it is permitted here. `group_reward` pays.

Source: DiMA-PG (Khan et al. 2018), experiments section; geek-ai/MAgent @2144dbd, `examples/train_gather.py` and
    `src/gridworld/`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from environments import Bounds, Count, Discrete, Role, Streams, check
from environments._memory import room
from environments._particles import validate
from environments._views import WALL, disc, turned, views

MOVES = disc(2)
"""Where moves 0 … 12 lead: (dx to the right, dy back), the middle one being to stay."""
STAY = MOVES.index((0, 0))
TURN_RIGHT, TURN_LEFT = len(MOVES), len(MOVES) + 1
"""In this order, for MAgent turns clockwise first: `GridWorld::step` counts the move actions into the turn's number."""
ATTACKS = tuple(cell for cell in disc(1.5) if cell != (0, 0))
"""Where attacks 15 … 22 hit."""
FIRST_ATTACK = TURN_LEFT + 1
N_ACTIONS = FIRST_ATTACK + len(ATTACKS)

RINGS = (0.9, 0.8, 0.7)
"""The sides of the squares on which agents start, as shares of the map's.

Source: geek-ai/MAgent @2144dbd, `examples/train_gather.py` `generate_map`.
"""
LARDER: tuple[tuple[float, int, int], ...] = (
    (0.65, 0, 10),
    (0.6, 0, 10),
    (0.55, 0, 10),
    (0.5, 0, 4),
    (0.45, 0, 3),
    (0.4, 0, 1),
    *((0.3, less, 1) for less in (0, 2, 4, 6)),
)
"""The squares on which food lies: their sides as shares of the map's, less so many cells, with food in every so manieth
cell. The outermost is a few cells away from the innermost agents, who see it at the start. Source: as of `RINGS`; the
letters that are drawn there in food besides are left out.
"""
BESIDE = tuple((dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy)
AGENT, FOOD = 128, 1
"""What is drawn of the living: this and their hit points."""
N_CHANNELS = 5
N_DRAWS = 2**24
"""From how many numbers the order of agents is drawn."""
N_ROWS = 256
"""Of observations at a time, so that they are still in the cache when they are scaled."""
LATER = 2**62
"""A time that never comes within a step."""


class Crowd(NamedTuple):
    """Who is where, and in what condition. All but the reward are int64.

    Shapes: position [S, E, A, 2] and food_position [S, E, F, 2] are cells (x, y), with y growing to the south; heading
        [S, E, A] counts clockwise from 0, the east; hp [S, E, A] and food_hp [S, E, F] are hit points, below zero for
        the dead; last_action [S, E, A], −1 before the first; last_reward [S, E, A].
    """

    position: Tensor
    heading: Tensor
    hp: Tensor
    food_position: Tensor
    food_hp: Tensor
    last_action: Tensor
    last_reward: Tensor

    @property
    def alive(self) -> Tensor:
        """Who lives. Shapes: [S, E, A] bool."""
        return self.hp >= 0

    @property
    def food_left(self) -> Tensor:
        """Which food is there. Shapes: [S, E, F] bool."""
        return self.food_hp >= 0


@dataclass(frozen=True)
class Survival:
    """Agents move, turn or attack one of the eight cells around them, all relative to the way they face.

    In a step attacks come first, then turns, then moves. Attacks are carried out one after the other, and so are
    moves, in an order that is drawn anew for every copy and step, as if agents were asked in turn:

    - An attack takes `damage` hit points from whatever is in its cell, agent or food, and kills what falls below zero.
      Who was killed before its turn does nothing. An attack on an empty cell or a wall has no effect, and so has one on
      what was killed earlier in the step.
    - A move ends in its cell if that is empty when its turn comes: neither wall nor food nor agent. Somebody who left
      it earlier in the step, or was killed in it, is no hindrance; somebody who leaves later is. What lies between is
      jumped over.

    Every living agent gets `step_reward`, and `attack_reward` if it carried out an attack. Who kills food gets
    `food_reward`, for a blow that does not kill it `hit_reward`. For an attack that is carried out on an agent there is
    `group_reward` where a third living agent stood beside that one, in one of the eight cells around it, as the step
    began. Who dies gets `death_reward` instead of all that, then nothing for ever. The dead stay dead, and do nothing.

    The game ends when no food or no agent is left. A copy that has ended stays as it is, is terminated, and pays
    nothing more, whatever it is stepped with.

    MAgent shuffles attacks too, but moves agents by their index, so that those with low ones come first: here nobody
    does. It pays for hits on food even those who then die.

    Units: the reward of one agent at one step.
    Raises: ValueError where agents or food have no room on the map, or hit points are too many to be drawn.
    """

    version: ClassVar[int] = 2
    may_end: ClassVar[bool] = True

    n_agents: int = 230
    """The paper plays with 230, which it once writes as 225, and with 630."""
    n_food: Count = 160
    map_size: Count = 100
    """The side of the map, with the walls at its border."""
    horizon: int = 200
    agent_hp: Count = 3
    food_hp: Count = 25
    damage: Count = 6
    view_radius: Count = 7
    step_reward: float = -0.01
    attack_reward: float = -0.1
    death_reward: float = -1.0
    food_reward: float = 5.0
    hit_reward: float = 0.5
    """The paper names 5 for food that is eaten. MAgent's game pays 0.5 for each hit that does not kill it besides, and
    only so do the paper's numbers add up."""
    group_reward: float = 0.0
    """The paper says that forming a group to attack pays 1, and also that killing costs a little."""

    def __post_init__(self) -> None:
        check(self)
        if not all(1 <= hp < AGENT - 1 for hp in (self.agent_hp, self.food_hp)):
            raise ValueError(f"hit points must lie in 1 … {AGENT - 2}, got {self.agent_hp} and {self.food_hp}")
        n_cells, n_food_cells = len(ring_cells(self.map_size)), len(block_cells(self.map_size))
        if self.n_agents > n_cells or self.n_food > n_food_cells:
            raise ValueError(
                f"a map of side {self.map_size} has room for {n_cells} agents and {n_food_cells} food, "
                f"got {self.n_agents} and {self.n_food}"
            )

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role, for agents are alike."""
        n_features = N_CHANNELS * len(disc(self.view_radius)) + N_ACTIONS + 9
        return (Role("agent", self.n_agents, (n_features,), Discrete(N_ACTIONS)),)

    def reset(self, streams: Streams, n_envs: int) -> Crowd:
        """Food evenly spread over MAgent's squares of food, agents on the three squares around it, facing anywhere.

        Only the headings are drawn. As in MAgent's game the places are always the same. Its numbers do not fit the
        paper's: on a map of side 100 its squares hold 247 agents, and food in 800 cells, besides a picture of letters.
        """
        heading = streams.integers(n_envs, self.n_agents, high=4)
        copies = heading.shape[:2]
        rings, larder = _places(self.map_size, self.n_food, heading.device)
        evenly = torch.arange(self.n_agents, device=heading.device) * len(rings) // self.n_agents
        position = rings[evenly].expand(*copies, -1, -1).clone()
        food = larder.expand(*copies, -1, -1).clone()
        return Crowd(
            position=position,
            heading=heading,
            hp=torch.full_like(heading, self.agent_hp),
            food_position=food,
            food_hp=torch.full_like(food[..., 0], self.food_hp),
            last_action=torch.full_like(heading, -1),
            last_reward=torch.zeros(heading.shape, dtype=torch.float32, device=heading.device),
        )

    def step(self, state: Crowd, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Crowd, Tensor, Tensor]:
        """Attacks, turns, moves, in an order that is drawn."""
        validate(self.roles, actions, state.hp.shape[:2])
        drawn = streams.integers(state.hp.shape[1], self.n_agents, high=N_DRAWS)
        # Where two draw the same number, once in some hundred steps of a large crowd, the lower index comes first.
        turn = drawn * self.n_agents + torch.arange(self.n_agents, device=drawn.device)
        return self.resolved(state, actions[0], turn)

    def resolved(self, state: Crowd, action: Tensor, turn: Tensor) -> tuple[Crowd, Tensor, Tensor]:
        """The step in which agents are asked in the order of `turn`, which must be different for all of a copy.

        Shapes: action and turn [S, E, A] int64.
        """
        playing = state.alive & ~self._over(state).unsqueeze(-1)
        aim = state.position + _aims(action.device)[state.heading, action]
        cell = self._index(aim)
        met = self._occupants(state).gather(-1, cell).long()  # which agent, food, nobody or wall is in the cell
        lines = Lines.of(cell, turn)
        landed, nth, endurance, fallen = self._attack(state, playing & (action >= FIRST_ATTACK), met, lines, turn)
        died = fallen[..., : self.n_agents]
        acting = playing & ~died
        moving = acting & (action < TURN_RIGHT) & (action != STAY)
        moved = self._move(moving, met, lines, turn, blank=(met == self._nobody) | fallen.gather(-1, met))
        blows = torch.zeros_like(endurance).scatter_add_(-1, met, landed.long()).minimum(endurance)
        lost = blows * self.damage
        wise = (action == TURN_RIGHT).long() - (action == TURN_LEFT).long()
        reward = self._reward(state, landed, nth, endurance, met)
        reward = torch.where(playing, torch.where(died, self.death_reward, reward), 0.0)
        after = Crowd(
            position=torch.where(moved.unsqueeze(-1), aim, state.position),
            heading=torch.where(acting, (state.heading + wise) % 4, state.heading),
            hp=state.hp - lost[..., : self.n_agents],
            food_position=state.food_position,
            food_hp=state.food_hp - lost[..., self.n_agents : -2],
            last_action=torch.where(playing, action, state.last_action),
            last_reward=torch.where(playing, reward, state.last_reward),
        )
        return after, reward, self._over(after)

    def observe(self, state: Crowd) -> tuple[Tensor, ...]:
        """The view, channel by channel, then the agent's own condition; all zero for the dead.

        The view is of the cells of `disc(view_radius)`, 149 for MAgent's radius of 7, turned to the agent's heading.
        Its channels are MAgent's: wall, agent, the agent's hit points as a share of `agent_hp`, food, the food's hit
        points as a share of `food_hp`. MAgent pads them with zeros to a square.

        The condition is: alive (1 for the living), hit points as a share, heading (east, south, west, north), x and y
        as shares of the map, the last reward, the last action (23). Of these MAgent has the last two, and the place
        where its `minimap_mode` is on. Without the heading an agent could not tell which way to turn for a place. The
        minimap itself, the density of agents and of food all over the map, is left out.
        """
        n_seeds, n_envs = state.hp.shape[:2]
        drawn = torch.cat([_drawn(state.hp, state.alive, AGENT), _drawn(state.food_hp, state.food_left, FOOD)], -1)
        place = torch.cat([state.position, state.food_position], 2)
        seen = views(
            place.flatten(0, 1), drawn.flatten(0, 1), state.heading.flatten(0, 1), self.map_size, self.view_radius
        ).view(n_seeds, n_envs, self.n_agents, -1)
        n_viewed = N_CHANNELS * seen.shape[-1]
        out = room(*seen.shape[:3], *self.roles[0].observation_shape, dtype=state.last_reward.dtype, device=seen.device)
        shares = _shares(self.agent_hp, self.food_hp, seen.shape[-1], out.dtype, out.device)
        viewed = out[..., :n_viewed].flatten(0, 2)
        channels = _channels(seen).flatten(1, 3).movedim(0, 1)  # [S·E·A, 5, n]
        for rows, of_rows in zip(viewed.split(N_ROWS), channels.split(N_ROWS), strict=True):
            rows.unflatten(-1, (N_CHANNELS, -1)).copy_(of_rows)
            rows.mul_(shares)  # all of it rather than the hit points alone: to skip some of each row is slower
        out[..., n_viewed:] = self._condition(state)
        return (out,)

    def full_state(self, state: Crowd) -> Tensor:
        """All fields of the state, one after the other."""
        return torch.cat([field.flatten(2) for field in state], -1)

    def alive(self, state: Crowd) -> Tensor:
        """Who lives. Shapes: [S, E, A] bool."""
        return state.alive

    def observation_bounds(self) -> tuple[Bounds, ...]:
        """Shares and ones within [0, 1], but for the last reward of one who lives."""
        (role,) = self.roles
        low, high = torch.zeros(role.observation_shape), torch.ones(role.observation_shape)
        least, most = self._least_and_most()
        low[-N_ACTIONS - 1], high[-N_ACTIONS - 1] = least, most
        return (Bounds(low, high),)

    def state_bounds(self) -> Bounds:
        """Cells within the walls, headings, hit points down to what a last blow leaves, actions, and rewards."""
        agents, food = torch.ones(self.n_agents), torch.ones(self.n_food)
        inside = float(self.map_size - 2)
        least, most = self._least_and_most()
        fields = (
            (agents.repeat(2), 1.0, inside),
            (agents, 0.0, 3.0),
            (agents, float(-self.damage), float(self.agent_hp)),
            (food.repeat(2), 1.0, inside),
            (food, float(-self.damage), float(self.food_hp)),
            (agents, -1.0, N_ACTIONS - 1.0),
            (agents, min(least, self.death_reward), max(most, self.death_reward)),
        )
        return Bounds(*(torch.cat([of * field[end] for of, *field in fields]) for end in (0, 1)))

    def marks(self, state: Crowd) -> tuple[int, list[tuple[int, int, str]]]:
        """Food that is left, then the living; the wall around them."""
        last = self.map_size - 1
        border = [cell for i in range(self.map_size) for cell in ((i, 0), (i, last), (0, i), (last, i))]
        food, agents = state.food_position[state.food_left], state.position[state.alive]
        painted = ((border, "grey"), (food.tolist(), "green"), (agents.tolist(), "blue"))
        return self.map_size, [(x, y, colour) for cells, colour in painted for x, y in cells]

    def _least_and_most(self) -> tuple[float, float]:
        """What one who lives can get in a step, or has before the first."""
        prizes = (0.0, self.food_reward, self.hit_reward, self.group_reward)
        attacks = tuple(self.attack_reward + prize for prize in prizes)
        paid = (0.0, self.step_reward, *(self.step_reward + attack for attack in attacks))
        return min(paid), max(paid)

    @property
    def _nobody(self) -> int:
        """The index of an empty cell's occupant; those before it are agents, then food. The wall's is one more."""
        return self.n_agents + self.n_food

    def _over(self, state: Crowd) -> Tensor:
        return ~(state.alive.any(-1) & state.food_left.any(-1))

    def _index(self, place: Tensor) -> Tensor:
        """The number of a cell on a map with one more wall around it, for moves may aim one cell beyond the border."""
        return (place[..., 1] + 1) * (self.map_size + 2) + place[..., 0] + 1

    def _occupants(self, state: Crowd) -> Tensor:
        """Who is in each cell. Shapes: [S, E, cells] int32."""
        place = torch.cat([state.position, state.food_position], 2)
        there = torch.cat([state.alive, state.food_left], 2)
        # Whoever is no more is put into the corner, where it is a wall.
        cell = torch.where(there, self._index(place), 0)
        who = torch.arange(self._nobody, dtype=torch.int32, device=cell.device)
        who = torch.where(there, who, self._nobody + 1)
        return _empty_map(self.map_size, self._nobody, cell.device).repeat(*cell.shape[:2], 1).scatter_(-1, cell, who)

    def _attack(
        self, state: Crowd, attacking: Tensor, met: Tensor, lines: Lines, turn: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Which attacks were carried out, the how-manieth on its cell each was, how many kill, and who was killed.

        Whether an attack is carried out depends on earlier ones only. So what is assumed of the first n in a chain of
        dependent attacks is right after n rounds, and nothing changes any more when all is right.

        Shapes: the first two [S, E, A], the others [S, E, A+F+2] with nobody and the wall last, which cannot be killed.
        """
        hp = torch.cat([state.hp, state.food_hp], -1)
        endurance = torch.nn.functional.pad(hp // self.damage + 1, (0, 2), value=self.n_agents + 1)
        enough = endurance.gather(-1, met)
        landed = attacking
        while True:
            nth = lines.number(landed)
            victim = torch.where(landed & (nth == enough), met, self._nobody)
            end = torch.full_like(endurance, LATER).scatter_(-1, victim, turn)
            still = attacking & (turn < end[..., : self.n_agents])
            if torch.equal(still, landed):
                return landed, nth, endurance, end < LATER
            landed = still

    def _move(self, moving: Tensor, met: Tensor, lines: Lines, turn: Tensor, blank: Tensor) -> Tensor:
        """Whose move succeeds: the first of those that find their cell empty. Found in rounds as attacks are.

        Shapes: all [S, E, A].
        """
        moved = torch.zeros_like(moving)
        while True:
            left = torch.where(moved, turn, LATER)
            left = torch.nn.functional.pad(left, (0, self.n_food + 2), value=LATER)
            can = moving & (blank | (left.gather(-1, met) < turn))
            now = can & (lines.number(can) == 1)
            if torch.equal(now, moved):
                return moved
            moved = now

    def _reward(self, state: Crowd, landed: Tensor, nth: Tensor, endurance: Tensor, met: Tensor) -> Tensor:
        """What those get who live through the step. Shapes: [S, E, A]."""
        dtype = state.last_reward.dtype
        bitten = landed & (met >= self.n_agents) & (met < self._nobody)
        enough = endurance.gather(-1, met)
        reward = landed.to(dtype) * self.attack_reward + self.step_reward
        reward += (bitten & (nth == enough)).to(dtype) * self.food_reward
        reward += (bitten & (nth < enough)).to(dtype) * self.hit_reward
        if self.group_reward:
            struck = landed & (met < self.n_agents) & (nth <= enough)
            reward += (struck & self.in_company(state, met)).to(dtype) * self.group_reward
        return reward

    def met(self, state: Crowd, aim: Tensor) -> Tensor:
        """Who is in each cell: an agent, or food, counted on from the agents; nobody and walls are beyond both.

        Shapes: [S, E, A, 2] → [S, E, A] int64.
        """
        return self._occupants(state).gather(-1, self._index(aim)).long()

    def in_company(self, state: Crowd, met: Tensor) -> Tensor:
        """Whether a third agent stands beside the agent that each has met. Shapes: [S, E, A] → [S, E, A] bool."""
        beside = torch.tensor(BESIDE, device=met.device)
        cells = self._index(state.position.unsqueeze(3) + beside).flatten(2)  # [S, E, A·8]
        near = (self._occupants(state).gather(-1, cells) < self.n_agents).unflatten(-1, (self.n_agents, -1))
        company: Tensor = near.sum(-1)  # of every agent as a victim, its attacker among them
        return company.gather(-1, met.clamp_max(self.n_agents - 1)) >= 2

    def _condition(self, state: Crowd) -> Tensor:
        """What agents know of themselves. Shapes: [S, E, A, 32]."""
        dtype = state.last_reward.dtype
        alive = state.alive.unsqueeze(-1)
        pieces = [
            alive.to(dtype),
            state.hp.unsqueeze(-1).to(dtype) / self.agent_hp,
            _one_hot(state.heading, 4, dtype),
            state.position.to(dtype) / self.map_size,
            state.last_reward.unsqueeze(-1),
            _one_hot(state.last_action, N_ACTIONS, dtype),
        ]
        return torch.where(alive, torch.cat(pieces, -1), 0.0)


class Lines(NamedTuple):
    """Agents that aim at the same cell stand in a line, in the order of their turns.

    Shapes: all [S, E, A]. order: the agents, line after line; start: for each of them, where in `order` its line
        starts; place: where in `order` each agent is.
    """

    order: Tensor
    start: Tensor
    place: Tensor

    @classmethod
    def of(cls, cell: Tensor, turn: Tensor) -> Lines:
        """The lines of agents that aim at `cell`."""
        ordered, order = (cell * (N_DRAWS * cell.shape[-1]) + turn).sort(-1)
        ordered = cell.gather(-1, order)
        index = torch.arange(cell.shape[-1], device=cell.device).expand_as(cell)
        first = torch.ones_like(cell, dtype=torch.bool)
        first[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
        start = torch.where(first, index, 0).cummax(-1).values
        return cls(order, start, torch.empty_like(order).scatter_(-1, order, index))

    def number(self, chosen: Tensor) -> Tensor:
        """How many of the chosen are in each agent's line up to itself. Shapes: [S, E, A] bool to int64."""
        ones = chosen.long().gather(-1, self.order)
        total = ones.cumsum(-1)
        before = (total - ones).gather(-1, self.start)
        return (total - before).gather(-1, self.place)


def _drawn(hp: Tensor, there: Tensor, code: int) -> Tensor:
    """What is drawn of agents or of food, 0 for those that are no more. Shapes: [...] uint8."""
    return torch.where(there, hp + code, 0).to(torch.uint8)


def _one_hot(index: Tensor, n: int, dtype: torch.dtype) -> Tensor:
    """A one at `index`, nowhere for −1. Shapes: [...] to [..., n]."""
    rows = _unit_rows(n, dtype, index.device).index_select(0, (index % (n + 1)).flatten())
    return rows.view(*index.shape, n)


@functools.cache
def _unit_rows(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The identity, and a row of zeros. Shapes: [n + 1, n]."""
    return torch.eye(n + 1, n, dtype=dtype, device=device)


def _channels(seen: Tensor) -> Tensor:
    """Wall, agent, its hit points, food, its hit points. Shapes: [S, E, A, n] to [5, S, E, A, n], all uint8."""
    # Bytes throughout, each channel in one piece: truth values, or channels side by side, take ten times as long.
    channels = room(N_CHANNELS, *seen.shape, dtype=torch.uint8, device=seen.device)
    wall, agent, agent_hp, food, food_hp = channels.unbind()
    torch.eq(seen, WALL, out=wall)
    torch.ge(seen, AGENT, out=agent)
    torch.ge(seen, FOOD, out=food).sub_(agent)
    agent.sub_(wall)
    torch.sub(seen, AGENT, out=agent_hp).mul_(agent)
    torch.sub(seen, FOOD, out=food_hp).mul_(food)
    return channels


@functools.cache
def _shares(agent_hp: int, food_hp: int, n_cells: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """What makes hit points shares of their full numbers, and leaves the other channels. Shapes: [5n]."""
    factors = torch.tensor([1.0, 1.0, 1 / agent_hp, 1.0, 1 / food_hp], dtype=dtype, device=device)
    return factors.repeat_interleave(n_cells)


@functools.cache
def _aims(device: torch.device) -> Tensor:
    """Where each action aims with each heading; turns aim at the own cell. Shapes: [4, 23, 2]."""
    cells = (*MOVES, (0, 0), (0, 0), *ATTACKS)
    return torch.tensor([[turned(dx, dy, heading) for dx, dy in cells] for heading in range(4)], device=device)


@functools.cache
def _empty_map(side: int, nobody: int, device: torch.device) -> Tensor:
    """A map without agents and food. Shapes: [(side + 2)²] int32."""
    cells = torch.full((side + 2, side + 2), nobody + 1, dtype=torch.int32, device=device)
    cells[2:side, 2:side] = nobody
    return cells.flatten()


@functools.cache
def _places(side: int, n_food: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """`ring_cells` and `food_cells` as tensors. Shapes: [cells, 2] and [F, 2]."""
    return torch.tensor(ring_cells(side), device=device), torch.tensor(food_cells(side, n_food), device=device)


@functools.cache
def ring_cells(side: int) -> tuple[tuple[int, int], ...]:
    """The cells of the squares on which agents start, from the outermost to the innermost, each clockwise."""
    margins = sorted({max(1, round((1 - share) / 2 * side)) for share in RINGS})
    return tuple(cell for margin in margins for cell in _square(margin, side - 1 - margin))


def _square(low: int, high: int) -> list[tuple[int, int]]:
    edge = range(low, high)
    north, east = [(x, low) for x in edge], [(high, y) for y in edge]
    south, west = [(low + high - x, high) for x in edge], [(low, low + high - y) for y in edge]
    return north + east + south + west


@functools.cache
def block_cells(side: int) -> tuple[tuple[int, int], ...]:
    """The cells within the innermost square, from the middle outwards, those of one square row by row."""
    margin = max(max(1, round((1 - share) / 2 * side)) for share in RINGS)
    inner = range(margin + 1, side - 1 - margin)
    cells = [(x, y) for y in inner for x in inner]
    return tuple(sorted(cells, key=lambda cell: max(abs(2 * c - side + 1) for c in cell)))


@functools.cache
def food_cells(side: int, n_food: int) -> tuple[tuple[int, int], ...]:
    """Where food lies: evenly over the squares of `LARDER` from the outermost, and what has no room there in between.

    What lies between is filled from the middle outwards.
    """
    block = block_cells(side)
    larder = [cell for cell in _larder(side) if cell in set(block)]
    n_evenly = min(n_food, len(larder))
    evenly = [larder[i * len(larder) // n_evenly] for i in range(n_evenly)]
    between = [cell for cell in block if cell not in set(larder)]
    return (*evenly, *between[: n_food - n_evenly])


def _larder(side: int) -> list[tuple[int, int]]:
    """The cells of the squares of food, each once, from the outermost square to the innermost."""
    middle = side // 2
    cells: dict[tuple[int, int], None] = {}
    for share, less, gap in LARDER:
        half = int(share * side - less) // 2
        if half < 1:
            continue
        ends = (middle - half, middle + half)
        line = range(ends[0], ends[1] + 1, gap)
        cells |= dict.fromkeys((x, y) for x in line for y in ends)
        cells |= dict.fromkeys((x, y) for y in line for x in ends)
    return list(cells)
