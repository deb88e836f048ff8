"""DVM: distillation with value matching, between two phases of training (Wadhwania et al. 2019).

Policy distillation teaches one student to act as every teacher does where that teacher has been; value matching teaches
one critic to value a joint observation and action as every teacher's critic does, in whichever order the agents stand:

    min Σ_j E[KL(π_j(·|o_j) ‖ π(·|o_j))]                                             equation (3)
    min Σ_j E[(Q_j(o₁, a₁ … o_n, a_n) - Q(o_σ(1), a_σ(1) … o_σ(n), a_σ(n)))²]        equation (6), for every order σ

Both are done once, after the teachers' phase; then every agent begins the next phase with the student's policy, the
matched critic, both (DVM) or neither. `Merging` makes one student, and its iterations count as its steps; `Enrolment`
is how it begins, from trained teachers, and `Succession` how a learner of the next phase does.

What the paper leaves open and how it is done here, as the authors' code does (SamirW/maddpg-pytorch@0ee9d61
algorithms/maddpg.py `distill`; SamirW/pytorch-soft-actor-critic@7810569 algorithms/sac.py `distill`):

 1. an iteration draws one batch of each teacher's replay and makes one step of Adam for every member in turn, clipped
    to a norm of 0.5, at the algorithm's own learning rate;
 2. one random order σ for every critic in every iteration (`orders="all"` takes the mean over all of them);
 3. the student starts from fresh networks, with a fresh optimizer; the agents keep their own optimizers' moments;
 4. the softmax has temperature 1; the divergence of two Gaussians is before tanh, and averaged over the batch;
 5. with MA-SAC the smaller of the twins is matched, and V beside it; each of the three networks is clipped by itself,
    where the code clips the twins by the norm of both;
 6. targets become copies of what was taught, and stay what they were where nothing was;
 7. experience is not taken along: replay starts empty.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Protocol

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _networks as networks
from algorithms._copies import seen
from algorithms._ledger import Ledger
from algorithms._networks import clone, of_agent, repeated, tensors, trainable
from algorithms._optimizers import Adam, clip_by_joint_norm
from algorithms._replay import Replay
from environments import Count, Env, Offers, Positive, Streams, Whole, check

DIVERGENCE = "divergence from the teachers"
ERROR = "matching error"
TEACHERS_SENSITIVITY = "order sensitivity of the teachers"
STUDENTS_SENSITIVITY = "order sensitivity of the student"

Network = tuple[Any, ...]
Members = tuple[tuple[Whole, Whole], ...]
"""Of every agent of the next phase which teacher's which agent it was."""
TEACHABLE = Offers(("init", "actors", "critics", "acting", "divergence", "valued", "valuing", "followed"))


class Teachable(Protocol):
    """What an algorithm must offer so that its agents can be taught. Networks of n agents have weights [S, n, …]."""

    batch_size: int
    learning_rate: float

    def init(self, env: Env[Any], streams: Streams) -> Any:
        """A fresh learner with `actors`, `critics`, `replay`, and one optimizer of each an agent."""

    def actors(self, env: Env[Any], streams: Streams, n: int) -> Network:
        """Fresh actors, n of them."""

    def critics(self, env: Env[Any], streams: Streams, n: int) -> Network:
        """Fresh critics, n of them."""

    def acting(self, actors: Network) -> Policy:
        """What a team of actors does without exploration."""

    def divergence(self, teacher: Tensor, student: Tensor) -> Tensor:
        """KL(teacher ‖ student) of the distributions that two raw outputs stand for. Shapes: [S, B, n] → [S, B]."""

    def valued(self, critic: Network, observations: Tensor, actions: Tensor) -> tuple[Tensor, ...]:
        """Every value that a critic has. Shapes: [S, A, B, D], [S, A, B, n] → [S, B] each."""

    def valuing(self, critic: Network) -> tuple[Network, ...]:
        """The networks behind each of these values."""

    def followed(self, state: Any) -> Mapping[str, tuple[tuple[Network, Network], ...]]:
        """Of "actor" and "critic" the target networks, each beside the one that it follows, of all agents."""


@dataclass
class Teacher:
    """A team that has been trained: its actors or its critics, and what it has seen."""

    taught: Network  # [S, A, …]
    replay: Replay


@dataclass
class MergingState:
    """What merging owns."""

    steps: int  # iterations
    streams: Streams
    ledger: Ledger
    student: Network  # [S, …]
    optimizer: Adam
    teachers: list[Teacher]


@dataclass(frozen=True)
class Merging:
    """One student of many teachers: policy distillation of their actors, or value matching of their critics.

    `members` says of every agent of the next phase which teacher's which agent it was.

    Units: a step is one iteration, and takes none in the environment.
    """

    learner: Annotated[Any, TEACHABLE]
    part: Literal["actor", "critic"]
    members: Members
    clip: Positive = 0.5
    orders: Literal["random", "all"] = "random"
    iterations_per_round: Count = 16

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check(self)
        _check_members(self.members)

    @property
    def metrics(self) -> Mapping[str, str]:
        """What is measured on the batches that are learnt from."""
        if self.part == "actor":
            return {DIVERGENCE: "KL(teacher ‖ student) in nats, mean over members and the batch"}
        sensitivity = (
            "mean |Q - Q with every agent in its neighbour's place|, in standard deviations of Q over the batch; "
            "mean over members and over the critic's values"
        )
        return {
            ERROR: "squared difference of the student's and the teacher's values; mean over members and the batch",
            TEACHERS_SENSITIVITY: sensitivity,
            STUDENTS_SENSITIVITY: sensitivity,
        }

    def init(self, env: Env[Any], streams: Streams) -> MergingState:
        """A fresh student, whose teachers are still untrained: `Enrolment` replaces them."""
        fresh = self.learner.actors if self.part == "actor" else self.learner.critics
        student = of_agent(fresh(env, streams, 1), 0)
        n_teachers = 1 + max(teacher for teacher, _ in self.members)
        blank = [self.learner.init(env, streams) for _ in range(n_teachers)]
        return MergingState(
            steps=0,
            streams=streams,
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
            student=student,
            optimizer=Adam.of(tensors(student)),
            teachers=[teacher_of(self.part, state) for state in blank],
        )

    def advance(self, env: Env[Any], state: MergingState) -> None:
        """A round of iterations; then, for a critic, how much the order of the agents matters to it."""
        for _ in range(self.iterations_per_round):
            batches = [self._batch(env, teacher.replay, state.streams) for teacher in state.teachers]
            for teacher, member in self.members:
                taught = of_agent(state.teachers[teacher].taught, member)
                if self.part == "actor":
                    self._imitate(state, taught, batches[teacher][0][:, member])
                else:
                    self._match(state, taught, *batches[teacher])
        state.steps += self.iterations_per_round
        if self.part == "critic":
            self._compare(state, batches)

    def policies(self, state: MergingState) -> Mapping[str, Policy]:
        """A team of students, where it is actors that are merged."""
        if self.part == "critic":
            return {}

        def acting(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
            team: Policy = self.learner.acting(repeated(state.student, env.roles[0].n_agents))
            return team(env, game)

        return {"student": acting}

    def _batch(self, env: Env[Any], replay: Replay, streams: Streams) -> tuple[Tensor, Tensor]:
        """What a team saw and did. Shapes: [S, A, B, D], [S, A, B, n]."""
        batch = replay.sample(streams, self.learner.batch_size)
        return seen(env, batch.state), batch.actions.transpose(1, 2)

    def _imitate(self, state: MergingState, teacher: Network, observed: Tensor) -> None:
        """A step of equation (3). Shapes: observed [S, B, D]."""
        student = trainable(state.student)
        with torch.no_grad():
            taught = networks.mlp(observed, teacher)
        divergence = self.learner.divergence(taught, networks.mlp(observed, student))  # [S, B]
        gradients = torch.autograd.grad(divergence.mean(dim=1).sum(), tensors(student))
        self._step(state, tensors(student), clip_by_joint_norm(gradients, self.clip))
        state.ledger.enter(DIVERGENCE, divergence)

    def _match(self, state: MergingState, teacher: Network, observed: Tensor, actions: Tensor) -> None:
        """A step of equation (6). Shapes: observed [S, A, B, D], actions [S, A, B, n]."""
        with torch.no_grad():
            taught = torch.stack(self.learner.valued(teacher, observed, actions), dim=1)  # [S, V, B]
        student = trainable(state.student)
        error = taught.new_zeros(())
        orders = self._orders(state.streams, observed.shape[1])
        for order in orders:
            values = self.learner.valued(student, in_order(observed, order), in_order(actions, order))
            error = error + (torch.stack(values, dim=1) - taught).square() / len(orders)
        gradients = iter(torch.autograd.grad(error.mean(dim=2).sum(), tensors(student)))
        clipped = [
            gradient
            for network in self.learner.valuing(student)
            for gradient in clip_by_joint_norm(list(itertools.islice(gradients, len(tensors(network)))), self.clip)
        ]
        self._step(state, tensors(student), clipped)
        state.ledger.enter(ERROR, error)

    @torch.no_grad()
    def _step(self, state: MergingState, variables: list[Tensor], gradients: list[Tensor]) -> None:
        state.optimizer.step(variables, gradients, self.learner.learning_rate, corrected_epsilon=True)

    def _orders(self, streams: Streams, n_agents: int) -> list[Tensor]:
        """The orders in which the student sees the agents of a batch. Shapes: [S, A] each."""
        if self.orders == "random":
            return [streams.uniform(n_agents).argsort(dim=1)]
        every = torch.tensor(list(itertools.permutations(range(n_agents))), device=streams.device)
        return [order.expand(streams.n_seeds, -1) for order in every]

    @torch.no_grad()
    def _compare(self, state: MergingState, batches: Sequence[tuple[Tensor, Tensor]]) -> None:
        for teacher, member in self.members:
            observed, actions = batches[teacher]
            for metric, critic in (
                (TEACHERS_SENSITIVITY, of_agent(state.teachers[teacher].taught, member)),
                (STUDENTS_SENSITIVITY, state.student),
            ):
                values, moved = (
                    torch.stack(self.learner.valued(critic, observed.roll(shift, 1), actions.roll(shift, 1)), dim=1)
                    for shift in (0, 1)
                )  # [S, V, B]
                state.ledger.enter(metric, (values - moved).abs().mean(dim=2) / values.std(dim=2))


@dataclass(frozen=True)
class Enrolment:
    """How merging begins: its teachers are learners that have been trained."""

    version: ClassVar[int] = 1

    def __call__(
        self, algorithm: Merging, env: Env[Any], learner: MergingState, teachers: Sequence[tuple[Env[Any], Any]]
    ) -> None:
        """Put trained teachers in the place of the fresh ones."""
        learner.teachers = [teacher_of(algorithm.part, state) for _, state in teachers]


@dataclass(frozen=True)
class Succession:
    """How a learner begins the next phase: with what its agents were, and with what has been merged.

    The teachers are, in this order, those of the earlier phase, the student of their actors if `actor`, and that of
    their critics if `critic`. `members` is as in `Merging`.
    """

    members: Members
    actor: bool
    critic: bool

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check(self)
        _check_members(self.members)

    def __call__(
        self, algorithm: Teachable, env: Env[Any], learner: Any, teachers: Sequence[tuple[Env[Any], Any]]
    ) -> None:
        """Turn a fresh learner into the one that begins the phase, in place; every seed from its own teachers."""
        states = [state for _, state in teachers]
        for agent, (teacher, member) in enumerate(self.members):
            _take_over(algorithm, learner, agent, states[teacher], member)
        merged = iter(states[1 + max(teacher for teacher, _ in self.members) :])
        if self.actor:
            _give(algorithm, learner, "actor", learner.actors, next(merged).student)
        if self.critic:
            _give(algorithm, learner, "critic", learner.critics, next(merged).student)


def _check_members(members: Members) -> None:
    if not members:
        raise ValueError("members must name a teacher and its agent for every agent, got ()")


def teacher_of(part: Literal["actor", "critic"], state: Any) -> Teacher:
    """The actors or the critics of a learner, and what it has seen."""
    return Teacher(state.actors if part == "actor" else state.critics, state.replay)


def in_order(x: Tensor, order: Tensor) -> Tensor:
    """The agents' entries in another order, one for every seed. Shapes: x [S, A, B, n], order [S, A]."""
    return x.take_along_dim(order[:, :, None, None], dim=1)


def _take_over(algorithm: Teachable, learner: Any, agent: int, teacher: Any, member: int) -> None:
    """Make an agent what a teacher's agent was: its networks, their targets and the moments of its optimizers."""
    for own, its in zip(_stacks(algorithm, learner), _stacks(algorithm, teacher), strict=True):
        own[:, agent] = its[:, member]
    learner.actor_optimizers[agent] = clone(teacher.actor_optimizers[member])
    learner.critic_optimizers[agent] = clone(teacher.critic_optimizers[member])


def _stacks(algorithm: Teachable, state: Any) -> list[Tensor]:
    """Every tensor that has an axis of agents. Shapes: [S, A, …] each."""
    targets = [target for pairs in algorithm.followed(state).values() for target, _ in pairs]
    return tensors((state.actors, state.critics, *targets))


def _give(algorithm: Teachable, learner: Any, part: str, networks_of_all: Network, student: Network) -> None:
    """Every agent, and what follows it, becomes a copy of the student."""
    for own, its in zip(tensors(networks_of_all), tensors(student), strict=True):
        own.copy_(its.unsqueeze(1).expand_as(own))
    for target, source in algorithm.followed(learner)[part]:
        for followed, own in zip(tensors(target), tensors(source), strict=True):
            followed.copy_(own)
