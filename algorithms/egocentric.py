"""Cloned hunters that see the game from where they stand: one policy for all, and yet each knows which one it is.

MACE's Cloned draws what every agent does from one distribution of one picture, so that it cannot send two agents to
different places but by chance. Whether that is because all agents are the same, or because none knows where it is, the
paper does not ask. Here all agents are the same too, with one φ, one head and one value, but the picture of each is
moved on the torus until it stands in cell (0, 0):

    P(aⁱ|s) ∝ exp(W·φ(sⁱ)),        V(sⁱ)

In the picture are all free agents and all frozen ones, everything else of the game, and the agent itself once more on
a plane of its own; who the others are cannot be seen. It is trained as `MACE` is, on as many steps; an ablation of
ours, which is in no paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from algorithms import _grids as grids
from algorithms import _networks as networks
from algorithms._networks import tensors, trainable
from algorithms._optimizers import clip_by_joint_norm
from algorithms.mace import (
    ENTROPY,
    MACE,
    Decision,
    Distribution,
    MACEState,
    Network,
    Rollout,
    distribution,
    drawn,
    free,
    judged,
    loss,
    on_a_grid,
    terms_of,
)
from environments import Env, GridEnv, Planes, Role, Streams


@dataclass(frozen=True)
class Centred:
    """How large a picture is that each agent has of its own, and who they are.

    A game's first planes show one agent each; here they give way to one that shows whose picture it is.
    """

    grid: GridEnv[Any]

    @property
    def roles(self) -> tuple[Role, ...]:
        """Those of the game."""
        return self.grid.roles

    @property
    def planes(self) -> Planes:
        """As many as the game has beside one an agent, and one."""
        return self.grid.planes._replace(n_planes=self.grid.planes.n_planes - self.grid.roles[0].n_agents + 1)

    def cells(self, game: Any) -> Tensor:
        """What each agent sees, those of one copy one after the other. Shapes: [S, E·A, K - A + 1] int64."""
        (role,) = self.roles
        _, height, width = self.planes
        cells = self.grid.cells(game)
        plane, x, y = cells.div(height * width, rounding_mode="floor"), cells // width % height, cells % width
        own, all_marks = slice(0, role.n_agents), slice(role.n_agents, None)
        rows = (x[..., None, all_marks] - x[..., own, None]).remainder(height)  # [S, E, A, K - A]
        columns = (y[..., None, all_marks] - y[..., own, None]).remainder(width)
        others = ((plane[..., None, all_marks] - role.n_agents + 1) * height + rows) * width + columns
        return torch.cat([torch.zeros_like(others[..., :1]), others], dim=-1).flatten(1, 2)


@dataclass(frozen=True)
class Egocentric(MACE):
    """Advantage actor-critic for one team on a grid, whose agents share one policy of what each sees.

    The game's first marks, one an agent, are alone on its first planes.

    Raises: ValueError where another policy is asked for.
    """

    policy: Literal["MACE", "Shared", "Cloned"] = "Cloned"

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.policy != "Cloned":
            raise ValueError(f"policy must be Cloned of agents that see from where they stand, got {self.policy}")

    @torch.no_grad()
    def decision(self, env: Env[Any], game: Any, network: Network, noise: Tensor, unit: Tensor) -> Decision:
        """What the agents do in one step of a game, by draws of U[0, 1). Shapes: unit [S, E, A]."""
        view = Centred(on_a_grid(env))
        features = grids.phi(view.cells(game), view.planes, network.trunk, self.beside(env, game))
        acting = seen_by_each(self.read(features), network, noise, unit.shape[2])
        return Decision(acting.latent, acting.mean, acting.log_std, drawn(acting.log_probability, unit))

    def beside(self, env: Env[Any], game: Any) -> Tensor | None:
        """What φ sees beside each picture. Shapes: [S, E·A, 1], or None."""
        time = super().beside(env, game)
        return None if time is None else time.repeat_interleave(env.roles[0].n_agents, dim=1)

    def _playable(self, env: Env[Any]) -> GridEnv[Any]:
        """The same game, whose marks can be asked for.

        Raises: ValueError where it is none on a grid, or does not show each agent on a plane of its own.
        """
        grid = super()._playable(env)
        n_agents, n_planes = grid.roles[0].n_agents, grid.planes.n_planes
        if n_planes <= n_agents:
            raise ValueError(f"expected a plane for each of {n_agents} agents and more, got {n_planes} planes")
        return grid

    def _network(self, grid: GridEnv[Any], streams: Streams) -> Network:
        return super()._network(Centred(grid), streams)  # type: ignore[arg-type]

    @torch.no_grad()
    def _play(self, env: Env[Any], state: MACEState) -> Rollout:
        """`steps_per_update` steps over all copies."""
        view, trunk = Centred(on_a_grid(env)), state.network.trunk
        layers, steps = [], []
        for noise, unit in self.draws(env, state.streams):
            game = state.episodes.game
            layers.append(grids.seen(view.cells(game), view.planes, trunk, self.beside(env, game)))
            acting = seen_by_each(self.read(layers[-1].features), state.network, noise, unit.shape[2])
            actions, able = drawn(acting.log_probability, unit), free(env, game, unit)
            steps.append((able, actions, *state.episodes.step(env, (actions,), state.streams, state.ledger)))
        columns = (torch.stack(column, dim=1) for column in zip(*steps, strict=True))
        return Rollout(layers, acting.latent, *columns)

    def _update(self, env: Env[Any], state: MACEState, rollout: Rollout) -> None:
        """One step of Adam, every seed at its own rate."""
        view, (role,) = Centred(on_a_grid(env)), env.roles
        network = trainable(state.network)
        features = self.read(grids.features(rollout.layers, view.planes, network.trunk))
        acting = seen_by_each(features, network, rollout.noise, role.n_agents)
        value = valued(features, network, role.n_agents)
        with torch.no_grad():
            returns, advantage = judged(rollout, value, self._following(env, state), state.settings)
        able = rollout.free.flatten(1, 2)
        terms = terms_of(rollout.actions.flatten(1, 2), acting, returns - value, advantage, able)
        variables = tensors(network)
        gradients = torch.autograd.grad(loss(terms, state.settings) / self.n_envs, variables)
        with torch.no_grad():
            rate = state.settings.learning_rate
            state.optimizer.step(variables, clip_by_joint_norm(gradients, self.clip), rate, corrected_epsilon=True)
        state.ledger.enter(ENTROPY, terms.entropy / able.sum(dim=-1))

    def _following(self, env: Env[Any], state: MACEState) -> Tensor:
        """V of where the rollout has ended. Shapes: [S, E, A]."""
        view, game = Centred(on_a_grid(env)), state.episodes.game
        features = grids.phi(view.cells(game), view.planes, state.network.trunk, self.beside(env, game))
        return valued(self.read(features), state.network, env.roles[0].n_agents)


def seen_by_each(features: Tensor, network: Network, noise: Tensor, n_agents: int) -> Distribution:
    """log P(aⁱ|sⁱ) of every choice; there is no λ. Shapes: features [S, B·A, hidden]."""
    acting = distribution(features, network, noise, 1)
    return acting._replace(log_probability=acting.log_probability.squeeze(2).unflatten(1, (-1, n_agents)))


def valued(features: Tensor, network: Network, n_agents: int) -> Tensor:
    """V(sⁱ). Shapes: [S, B·A, hidden] → [S, B, A]."""
    value = networks.linear(features, network.value)
    return value.view(len(value), -1, n_agents)
