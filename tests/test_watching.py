"""Policies on the screen: those that the suite brings play as they were recorded, and every game can be looked at."""

from __future__ import annotations

import math
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from algorithms.maddpg import MADDPG
from benchmarks import Cell, _glances, actors
from benchmarks.__main__ import main
from benchmarks._catalogue import figures
from benchmarks._options import RECORDED
from benchmarks._training.standing import NOTHING
from benchmarks._watching import Seen, other_policy, played, save, watch
from benchmarks.actors import ACTORS, filled, last_test, load_policy, needed, one_figure, trained, untrained
from environments import Streams
from environments.cooperative_navigation import CN_V1
from environments.pettingzoo import games
from results import States, Store

MIB = 1 << 20
CELLS = {cell.key: cell for figure in figures() for cell in figure.cells}
KEPT = sorted(States(ACTORS).sizes())


def evaluation() -> Any:
    return next(iter(CELLS.values())).evaluation


def test_there_are_actors_and_they_are_small() -> None:
    assert KEPT
    assert sum(States(ACTORS).sizes().values()) <= 20 * MIB
    assert len({key for key, _ in KEPT}) == len(KEPT), "one seed each"


@pytest.mark.parametrize(("key", "seed"), KEPT, ids=[key for key, _ in KEPT])
def test_every_actor_is_of_a_recorded_run_and_plays_its_last_test_as_it_did(
    key: str, seed: int, tmp_path: Path
) -> None:
    cell = CELLS[key]
    run = Store(RECORDED).load(cell, seed)
    assert run is not None
    state = States(ACTORS).latest(key, seed)
    assert state is not None
    assert state.metadata["sources"] in {session.sources for session in run.history}
    (at,) = np.flatnonzero(run.steps == state.steps)
    learner = trained(cell, seed, tmp_path)
    for name, value in last_test(cell, learner, seed).items():
        apart = float(np.std([one.metrics[name][at] for one in Store(RECORDED).runs(cell, range(10)).values()]))
        assert value == pytest.approx(float(run.metrics[name][at]), abs=max(0.5 * apart, 1e-3)), name


def test_a_damaged_actor_is_an_error_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, seed = KEPT[0]
    path = tmp_path / key / f"seed-{seed:03d}.safetensors"
    path.parent.mkdir(parents=True)
    damaged = bytearray((ACTORS / key / path.name).read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    monkeypatch.setattr(actors, "ACTORS", tmp_path)
    with pytest.raises(Exception, match=r"seed-000\.safetensors is damaged"):
        trained(CELLS[key], seed, tmp_path / "nowhere")


def test_what_is_kept_is_what_policies_read_and_nothing_of_the_replay() -> None:
    learner_cell = Cell("MADDPG", "x", MADDPG(capacity=2000, message_size=1), CN_V1, evaluation())
    learner = untrained(learner_cell, 3)
    learner_cell.algorithm.advance(learner_cell.env, learner)
    kept = needed(learner_cell, learner)
    large = [name for name, tensor in kept.items() if tensor.numel() > 1]
    assert not [name for name in large if "replay" in name or "critic" in name or "target" in name]
    assert [name for name in kept if name.startswith(".actors")]
    again = filled(untrained(learner_cell, 4), kept)
    game = learner_cell.env.reset(Streams.of((0,), "x", "cpu"), 4)
    (one,), (other,) = (
        learner_cell.algorithm.policies(of)["greedy"](learner_cell.env, game) for of in (learner, again)
    )
    assert torch.equal(one, other)
    assert again.steps == learner.steps


def test_an_actor_plays_where_pettingzoo_does() -> None:
    actor = load_policy("ctedd/fig5", "CN-V1/CTEDD", "L-3")
    game = actor.game()
    game.reset(seed=3)
    paid = 0.0
    while game.agents:
        _, rewards, *_ = game.step(actor(game))
        paid += sum(rewards.values())
    chance = actor.game()
    chance.reset(seed=3)
    worse = 0.0
    for index, name in enumerate(chance.possible_agents):
        chance.action_space(name).seed(index)
    while chance.agents:
        _, rewards, *_ = chance.step({name: chance.action_space(name).sample() for name in chance.agents})
        worse += sum(rewards.values())
    assert paid > worse
    with pytest.raises(ValueError, match="call reset first"):
        actor(actor.game())


@pytest.mark.parametrize("name", games())
def test_every_game_can_be_watched(name: str, tmp_path: Path) -> None:
    env: Any = games()[name]
    if "horizon" in {field.name for field in fields(env)}:
        env = replace(env, horizon=6)
    if type(env).__name__ == "Survival":
        env = replace(env, n_agents=20, n_food=9, map_size=20)
    cell = Cell("chance", name, None, env, evaluation())
    seen = tuple(Seen(f"chance {i}", played(cell, other_policy(cell, "", i, "chance"), 0)) for i in range(2))
    one, two = (one.episode.states[0] for one in seen)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True)), "both begin alike"
    short = tuple(one._replace(episode=one.episode._replace(states=one.episode.states[:4])) for one in seen)
    save(cell, short, tmp_path / "game.gif")
    with Image.open(tmp_path / "game.gif") as picture:
        assert 1 <= getattr(picture, "n_frames", 1) <= 4
        assert picture.size == (732, 488)
        assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 3


def test_watching_shows_trained_beside_untrained_and_says_what_both_were_paid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "game.gif"
    command = ["watch", "ctedd/fig5", "--cell", "CN-V1/CTEDD", "--policy", "L-3", "--out", str(out)]
    assert main([*command, "--store", str(tmp_path)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in told] == ["CTEDD L-3", "untrained", str(out)]
    with Image.open(out) as picture:
        assert getattr(picture, "n_frames", 1) == 26
    seen = watch("ctedd/fig5", "CN-V1/CTEDD", "L-3", out, beside="chance", store=tmp_path)
    assert seen[0].paid == math.fsum(value for row in seen[0].episode.paid for value in row) > seen[1].paid


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        (
            {"--cell": "CN-V9/CTEDD"},
            r"ctedd/fig5 must have the cell that is named, got 'CN-V9/CTEDD'; there are: CN-V1/",
        ),
        ({"--policy": ""}, r"the policy of CTEDD must be one of G, L-1, L-3, got ''"),
        ({"--seed": "9"}, r"seed 9 of CTEDD on CN-V1 has no training state in .*: train it with"),
        ({"--beside": "me"}, r"--beside must be one of untrained, chance, nobody, got 'me'"),
        ({"--out": "game.mp4"}, r"--out must end in one of \.gif, \.png, \.webp, got 'game\.mp4'"),
    ],
)
def test_what_cannot_be_watched_is_answered_in_one_sentence(
    changed: dict[str, str], answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"--cell": "CN-V1/CTEDD", "--policy": "L-3", "--out": str(tmp_path / "x.gif"), "--store": str(tmp_path)}
    command = [word for pair in (asked | changed).items() for word in pair]
    assert main(["watch", "ctedd/fig5", *command]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(f"error: {answer}", line), line


def test_nothing_is_kept_of_a_run_of_other_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, seed = KEPT[0]
    cell = CELLS[key]
    (kept,) = actors.keep([cell], States(tmp_path), seed)
    assert kept.why_not == "its training state is not there"
    monkeypatch.setattr(actors, "standing", lambda *_: NOTHING._replace(other_code=1))
    States(tmp_path).save(key, seed, 1, {"x": torch.zeros(1)})
    (kept,) = actors.keep([cell], States(tmp_path), seed)
    assert kept.why_not == "it was recorded with other code"


GAMES = sorted({name for figure in figures() for name in _glances.games_of(figure)})


def test_every_game_of_every_figure_has_been_drawn_small_and_looping() -> None:
    known = {glance.game: glance for glance in _glances.drawn()}
    assert sorted(known) == GAMES, "draw them: python -m benchmarks actors ctedd/fig5 --pictures"
    for glance in known.values():
        with Image.open(glance.path) as picture:
            assert getattr(picture, "n_frames", 1) > 20
            assert picture.info["loop"] == 0
            assert picture.size[1] == _glances.SMALL
    assert sum(glance.path.stat().st_size for glance in known.values()) <= 5 * MIB
    assert all(_glances.glances(figure) for figure in figures())


def test_a_page_names_what_can_be_watched() -> None:
    shown = {glance.watched for glance in _glances.glances(one_figure("ctedd/fig5"))}
    for named in shown:
        assert named is not None
        assert load_policy("ctedd/fig5", *named).name == "G"


@pytest.mark.parametrize("name", ["CN-V1", "hare-2-frozen"])
def test_what_is_drawn_is_what_is_brought_along(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (there,) = (glance for glance in _glances.drawn() if glance.game == name)
    monkeypatch.setattr(_glances, "PICTURES", tmp_path)
    cells = [cell for cell in _glances.every_cell() if _glances.game_names()[_glances.looks(cell)] == name]
    again = _glances.draw(name, cells)
    assert again == there
    with Image.open(ACTORS / "games" / f"{name}.gif") as one, Image.open(again.path) as other:
        assert one.size == other.size
        assert getattr(one, "n_frames", 1) == getattr(other, "n_frames", 1)
        assert one.convert("RGB").tobytes() == other.convert("RGB").tobytes()
