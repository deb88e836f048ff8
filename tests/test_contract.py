"""Every test of the contract fails where it must: for each there is a game, a learner or a figure with one bug."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from algorithms import Ledger
from benchmarks import Budget, Figure, Metric, Score
from benchmarks._contract import algorithms, environments, figures
from benchmarks._contract.algorithms import Trial
from benchmarks._outside.mypaper.fig1 import FIGURE
from benchmarks._outside.mypaper.game import Meeting, Places
from benchmarks._outside.mypaper.learner import IndependentQ
from environments import Planes, Streams

FAILURES = (AssertionError, ValueError, RuntimeError, KeyError, pytest.fail.Exception)
Step = tuple[Places, Tensor, Tensor]


def fails(test: Callable[..., None], *given: Any) -> None:
    """The test passes no thing that has a bug."""
    with pytest.raises(FAILURES):
        test(*given)


# ---- games ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PaysOnce(Meeting):
    def step(self, state: Places, actions: tuple[Tensor, ...], streams: Streams) -> Step:
        after, reward, ended = super().step(state, actions, streams)
        return after, reward.sum(2, keepdim=True), ended


@dataclass(frozen=True)
class SingleEyed(Meeting):
    def observe(self, state: Places) -> tuple[Tensor, ...]:
        return (super().observe(state)[0].float(),)


@dataclass(frozen=True)
class Strided(Meeting):
    def observe(self, state: Places) -> tuple[Tensor, ...]:
        return (super().observe(state)[0].transpose(2, 3).contiguous().transpose(2, 3),)


@dataclass(frozen=True)
class Ending(Meeting):
    def step(self, state: Places, actions: tuple[Tensor, ...], streams: Streams) -> Step:
        after, reward, _ = super().step(state, actions, streams)
        return after, reward, torch.ones_like(after.place[:, :, 0], dtype=torch.bool)


@dataclass(frozen=True)
class Coupled(Meeting):
    def reset(self, streams: Streams, n_envs: int) -> Places:
        place = super().reset(streams, n_envs).place
        return Places((place + place.sum(0, keepdim=True)).remainder(self.n_places))


@dataclass(frozen=True)
class Alike(Meeting):
    def reset(self, streams: Streams, n_envs: int) -> Places:
        return Places(torch.zeros(streams.n_seeds, n_envs, 2))


@dataclass(frozen=True)
class Global(Meeting):
    def reset(self, streams: Streams, n_envs: int) -> Places:
        return Places(torch.randint(self.n_places, (streams.n_seeds, n_envs, 2)).float())


@dataclass(frozen=True)
class Doubled(Meeting):
    def full_state(self, state: Places) -> Tensor:
        return 2 * state.place


@dataclass(frozen=True)
class ByRow(Meeting):
    def observe(self, state: Places) -> tuple[Tensor, ...]:
        (seen,) = super().observe(state)
        return (seen + torch.arange(seen.shape[1], dtype=seen.dtype).view(1, -1, 1, 1),)


@dataclass(frozen=True)
class InPlace(Meeting):
    def step(self, state: Places, actions: tuple[Tensor, ...], streams: Streams) -> Step:
        after, reward, ended = super().step(state, actions, streams)
        state.place.copy_(after.place)
        return Places(state.place), reward, ended


@dataclass(frozen=True)
class Trusting(Meeting):
    def step(self, state: Places, actions: tuple[Tensor, ...], streams: Streams) -> Step:
        place = (state.place + actions[0] - 1).remainder(self.n_places)
        together = place == place.flip(2)
        return Places(place), together.to(place.dtype), torch.zeros_like(together[:, :, 0])


@dataclass(frozen=True)
class Unchecked(Meeting):
    def __post_init__(self) -> None:
        pass


@dataclass(frozen=True)
class Counting(Meeting):
    """Begins elsewhere every time."""

    n_resets: ClassVar[list[int]] = [0]

    def reset(self, streams: Streams, n_envs: int) -> Places:
        self.n_resets[0] += 1
        place = torch.tensor([self.n_resets[0] % self.n_places, 0.0])
        return Places(place.expand(streams.n_seeds, n_envs, 2).contiguous())


@dataclass(frozen=True)
class Noisy(Meeting):
    def observe(self, state: Places) -> tuple[Tensor, ...]:
        (seen,) = super().observe(state)
        return (seen + torch.rand_like(seen),)


@dataclass(frozen=True)
class Blind(Meeting):
    def observe(self, state: Places) -> tuple[Tensor, ...]:
        return (super().observe(state)[0][..., :-1].contiguous(),)


@dataclass(frozen=True)
class OffTheGrid(Meeting):
    planes: ClassVar[Planes] = Planes(1, 1, 2)

    def cells(self, state: Places) -> Tensor:
        return state.place.long()


@dataclass(frozen=True)
class Undead(Meeting):
    def alive(self, state: Places) -> Tensor:
        return state.place != 0


GAMES: tuple[tuple[Callable[..., None], Meeting], ...] = (
    (environments.test_axes_are_seeds_copies_agents_features, PaysOnce()),
    (environments.test_what_leaves_is_contiguous, Strided()),
    (environments.test_an_episode_is_finite_and_terminates_by_the_rules_of_the_game_only, Ending()),
    (environments.test_seeds_differ, Alike()),
    (environments.test_the_global_generators_are_left_alone, Global()),
    (environments.test_the_full_state_is_the_state_flattened, Doubled()),
    (environments.test_a_replayed_row_is_seen_and_goes_on_as_it_was, ByRow()),
    (environments.test_a_step_does_not_change_the_state_that_it_was_given, InPlace()),
    (environments.test_a_wrong_shape_is_answered_with_a_sentence, Trusting()),
    (environments.test_an_action_that_is_no_number_or_no_choice_is_answered_with_a_sentence, Trusting()),
    (environments.test_a_setting_that_is_none_is_answered_with_a_sentence, Unchecked()),
    (environments.test_marks_lie_on_the_planes_and_there_are_as_many_in_every_state, OffTheGrid()),
    (environments.test_pettingzoo_accepts_it, Noisy()),
    (environments.test_pettingzoo_accepts_it_where_agents_take_turns, Blind()),
    (environments.test_pettingzoo_plays_the_same_episode_from_the_same_seed, Noisy()),
    (environments.test_pettingzoo_starts_over_when_it_is_reset_with_the_same_seed, Counting()),
    (environments.test_pettingzoo_truncates_at_the_horizon_where_the_game_does_not_terminate, Ending()),
    (environments.test_the_dead_stay_dead_get_nothing_and_what_they_do_changes_nothing, Undead()),
)


@pytest.mark.parametrize(("test", "game"), GAMES, ids=lambda part: getattr(part, "__name__", type(part).__name__))
def test_a_bug_of_a_game_is_found(test: Callable[..., None], game: Meeting) -> None:
    fails(test, game)


def test_so_is_one_that_shows_in_another_type_or_beside_other_seeds() -> None:
    fails(environments.test_types_follow_the_state, SingleEyed(), torch.float64)
    fails(environments.test_a_seed_alone_gives_the_bits_that_it_gives_among_others, Coupled(), 25)


# ---- learners -------------------------------------------------------------------------------------------------------


@dataclass
class Loose:
    """Not frozen, without a version."""

    rate: float = 0.1


@dataclass(frozen=True)
class Free(IndependentQ):
    def __post_init__(self) -> None:
        pass


@dataclass(frozen=True)
class Averaging(IndependentQ):
    def advance(self, env: Any, state: Any) -> None:
        super().advance(env, state)
        state.values += 0.01 * state.values.mean(0, keepdim=True)


@dataclass(frozen=True)
class Voting(IndependentQ):
    def policies(self, state: Any) -> Any:
        return super().policies(replace(state, values=state.values.mean(0, keepdim=True).expand_as(state.values)))


@dataclass(frozen=True)
class Rigid(IndependentQ):
    def policies(self, state: Any) -> Any:
        return super().policies(replace(state, values=torch.ones_like(state.values)))


@dataclass(frozen=True)
class Dicing(IndependentQ):
    def advance(self, env: Any, state: Any) -> None:
        super().advance(env, state)
        state.values += torch.rand(1) * 0


@dataclass(frozen=True)
class Forgetful(IndependentQ):
    """Keeps a number where nobody saves it."""

    memory: ClassVar[dict[int, int]] = {}

    def advance(self, env: Any, state: Any) -> None:
        super().advance(env, state)
        known = Forgetful.memory[id(state)] = Forgetful.memory.get(id(state), 0) + 1
        state.values += known * 1e-3


@dataclass(frozen=True)
class Timeless(IndependentQ):
    def advance(self, env: Any, state: Any) -> None:
        super().advance(env, state)
        state.steps = 0


@dataclass(frozen=True)
class Secretive(IndependentQ):
    def init(self, env: Any, streams: Streams) -> Any:
        state = super().init(env, streams)
        state.ledger = Ledger.of([*self.metrics, "something else"], streams.n_seeds, streams.device)
        return state


@dataclass(frozen=True)
class Beyond(IndependentQ):
    def policies(self, state: Any) -> Any:
        (policy,) = super().policies(state).values()
        return {"greedy": lambda env, game: tuple(action + 3 for action in policy(env, game))}


@dataclass(frozen=True)
class Learning(IndependentQ):
    def policies(self, state: Any) -> Any:
        state.values += 1
        return super().policies(state)


LEARNERS: tuple[tuple[Callable[..., None], IndependentQ], ...] = (
    (algorithms.test_a_seed_alone_is_bit_for_bit_what_it_is_among_others, Averaging()),
    (algorithms.test_a_policy_of_a_seed_alone_plays_what_it_plays_among_others, Voting()),
    (algorithms.test_seeds_differ, Rigid()),
    (algorithms.test_the_global_generators_are_left_alone, Dicing()),
    (algorithms.test_what_was_stopped_at_once_goes_on_bit_for_bit, Forgetful()),
    (
        algorithms.test_what_was_stopped_in_the_middle_goes_on_bit_for_bit_however_seeds_are_grouped,
        Forgetful(learning_rate=0.3),
    ),
    (algorithms.test_every_iteration_takes_steps, Timeless()),
    (algorithms.test_the_ledger_has_the_metrics_that_are_announced_of_every_seed, Secretive()),
    (algorithms.test_policies_choose_one_action_a_role_that_can_be_played, Beyond()),
    (algorithms.test_asking_a_policy_changes_nothing_in_training, Learning()),
)


def meeting(_: Any) -> Meeting:
    return Meeting()


@pytest.mark.parametrize(("test", "learner"), LEARNERS, ids=lambda part: getattr(part, "__name__", type(part).__name__))
def test_a_bug_of_a_learner_is_found(test: Callable[..., None], learner: IndependentQ) -> None:
    fails(test, Trial(learner, meeting))


def test_so_is_one_of_its_settings() -> None:
    fails(algorithms.test_an_algorithm_is_a_frozen_dataclass_with_a_version, Loose())
    fails(algorithms.test_a_setting_that_is_none_is_answered_with_a_sentence, Free())


# ---- figures --------------------------------------------------------------------------------------------------------

(PANEL,), (CLAIM,) = FIGURE.panels, FIGURE.claims
FIRST, SECOND = PANEL.lines
SMALLER = {**FIGURE.budgets, "quick": {"Ring": Budget(1, 1_000)}}
SAME_NAME = replace(SECOND, cell=replace(SECOND.cell, name=FIRST.cell.name))
UNREAD = Score(FIRST.cell, Metric("test return gredy", better="larger"), CLAIM.rows[0].left.statistic)

FIGURES: tuple[tuple[Callable[..., None], Figure], ...] = (
    (figures.test_a_figure_says_what_it_is_and_what_was_decided, replace(FIGURE, decisions=())),
    (
        figures.test_a_claim_says_what_is_claimed_and_can_be_judged_or_says_what_is_in_the_way,
        replace(FIGURE, claims=(replace(CLAIM, rows=()),)),
    ),
    (
        figures.test_every_cell_of_a_figure_is_there_once_and_two_cells_never_share_a_key,
        replace(FIGURE, panels=(replace(PANEL, lines=(FIRST, SAME_NAME)),), claims=()),
    ),
    (
        figures.test_every_line_and_score_reads_a_metric_that_its_cell_records,
        replace(FIGURE, claims=(replace(CLAIM, rows=(replace(CLAIM.rows[0], left=UNREAD),)),)),
    ),
    (
        figures.test_every_line_has_a_name_of_its_own_in_its_panel,
        replace(FIGURE, panels=(replace(PANEL, lines=(FIRST, replace(SECOND, label=FIRST.label))),)),
    ),
    (
        figures.test_budgets_are_whole_tests_and_every_profile_extends_the_one_before,
        replace(FIGURE, budgets=SMALLER),
    ),
)


@pytest.mark.parametrize(("test", "figure"), FIGURES, ids=lambda part: getattr(part, "__name__", "figure"))
def test_a_bug_of_a_figure_is_found(test: Callable[..., None], figure: Figure) -> None:
    fails(test, figure)


def test_without_a_bug_nothing_is() -> None:
    for test, _ in GAMES:
        if "marks" not in test.__name__ and "dead" not in test.__name__:
            test(Meeting())
    for test, _ in LEARNERS:
        test(Trial(IndependentQ(), meeting))
    for test, _ in FIGURES:
        test(FIGURE)


def test_every_test_of_the_contract_is_here() -> None:
    tried = {test.__name__ for test, _ in (*GAMES, *LEARNERS, *FIGURES)}
    elsewhere = {
        "test_types_follow_the_state",
        "test_a_seed_alone_gives_the_bits_that_it_gives_among_others",
        "test_an_algorithm_is_a_frozen_dataclass_with_a_version",
        "test_pettingzoo_answers_a_wrong_action_with_a_sentence",  # which is the wrapper's, whatever the game
    }
    every = {
        name for module in (environments, algorithms, figures) for name in vars(module) if name.startswith("test_")
    }
    assert every == tried | elsewhere
