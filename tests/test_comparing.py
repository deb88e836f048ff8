"""Other people's curves: read as their tools write them, told which unit they are in, and held against stored ones."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import Floats, Margin
from benchmarks.__main__ import main
from benchmarks._catalogue import chosen
from benchmarks._exchange import tools
from benchmarks._exchange.commands import CODES
from benchmarks._exchange.comparison import compared
from benchmarks._exchange.conventions import Convention, conventions
from benchmarks._exchange.curves import Columns, Curves, Track, columns, gathered
from benchmarks._exchange.equivalence import Equivalence, Span, equivalence, lone, means, span
from benchmarks._exchange.levels import reached
from benchmarks._exchange.lines import Stored, stored
from benchmarks._exchange.reading import read
from benchmarks._exchange.units import smoothed, smoothing, unit_of
from benchmarks._exchange.words import VERDICTS, verdict
from benchmarks._judging.desk import Desk
from benchmarks._judging.exhibit import Exhibit
from benchmarks._options import RECORDED, stores_of
from benchmarks._training.work import Library
from environments.cooperative_navigation import CN_V1
from environments.goal_navigation import GoalNavigation
from environments.hunters import Hunters
from environments.push_forward import PushForward
from environments.spread import Spread

HERE = Path(__file__).parent / "curves"
RETURN = "sum over agents and steps of the reward of an episode"
MARGIN = Margin(30.0, "for a test")
STEPS = np.linspace(10_000.0, 1_000_000.0, 100)


@pytest.fixture(scope="module")
def exhibit() -> Exhibit:
    (figure,) = chosen("ctedd/fig5")
    return Desk(Library(stores_of(RECORDED)), "quick").opened([figure])[0]


def halves(line: Stored) -> tuple[Curves, Stored]:
    """Three seeds as somebody else's, and the other three as what is stored."""
    every = list(line.tracks.items())
    return Curves("theirs.csv", "return", dict(every[:3])), line._replace(tracks=dict(every[3:]))


def drawn(n_seeds: int, rng: np.random.Generator, level: float = -500.0, spread: float = 10.0) -> dict[str, Track]:
    """Flat curves whose seeds scatter, and whose tests do."""
    seeds = level + spread * rng.standard_normal((n_seeds, 1)) + rng.standard_normal((n_seeds, len(STEPS)))
    return {str(seed): Track(STEPS, values.astype(np.float64)) for seed, values in enumerate(seeds)}


def learning(n_seeds: int, rng: np.random.Generator, noise: float = 20.0) -> dict[str, Track]:
    """Curves that rise from −700 to −400, whose tests scatter."""
    rise = -700 + 300 * (1 - np.exp(-STEPS / 200_000))
    curves = [rise + noise * rng.standard_normal(len(STEPS)) for _ in range(n_seeds)]
    return {str(seed): Track(STEPS, curve.astype(np.float64)) for seed, curve in enumerate(curves)}


# -------------------------------------------------------------------------------------------------------------- reading


def sums() -> dict[str, Floats]:
    """What the tests of BenchMARL's runs were in our unit, 20 episodes each."""
    found: dict[str, list[float]] = {}
    with (HERE / "benchmarl-sums.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["seed"], []).append(float(row["sum"]))
    return {seed: np.array(values).reshape(-1, 20).mean(axis=1) for seed, values in found.items()}


def test_benchmarls_tables_are_of_frames_and_of_means_over_agents() -> None:
    found = read(HERE / "benchmarl", Columns())
    assert found.metric == "eval_reward_episode_reward_mean"
    assert list(found.tracks) == ["0", "1", "2"]
    assert all(track.steps.tolist() == [500, 1000, 2000, 3000, 4000] for track in found.tracks.values())
    for seed, ours in sums().items():
        np.testing.assert_allclose(3 * found.tracks[seed].values, ours, rtol=1e-5)
    assert "means over agents" in found.notes[0]


def test_another_metric_of_benchmarls_is_read_by_its_name() -> None:
    found = read(HERE / "benchmarl", Columns(), "collection/reward/episode_reward_mean")
    assert [len(track.steps) for track in found.tracks.values()] == [8, 8, 8]


def test_benchmarls_json_is_marl_evals() -> None:
    files = sorted((HERE / "benchmarl").glob("*/*.json"))
    found = tools.read_marl_eval(files, None, {})
    of_tables = read(HERE / "benchmarl", Columns())
    for seed, track in of_tables.tracks.items():
        np.testing.assert_allclose(found.tracks[seed].values, track.values, rtol=1e-5)
        np.testing.assert_array_equal(found.tracks[seed].steps, track.steps)


@pytest.mark.parametrize("name", ["metrics.json", "info.json"])
def test_epymarls_runs_are_read_from_either_of_sacreds_files(name: str, tmp_path: Path) -> None:
    for run in sorted((HERE / "epymarl" / "pz-ours-cn-v1").iterdir()):
        kept = tmp_path / run.name
        kept.mkdir()
        for file in ("config.json", name):
            (kept / file).write_text((run / file).read_text())
    found = read(tmp_path, Columns())
    assert found.tracks["0"].steps.tolist() == [25, 1025, 2025, 3025, 4025]
    assert found.tracks["0"].values[0] == pytest.approx(-390.6359596)
    assert "mean of the agents' rewards" in found.notes[0]


def test_runs_of_several_settings_are_not_one_method() -> None:
    with pytest.raises(ValueError, match=r"differ in their seed alone, these also in env_args, reward_scalarisation"):
        read(HERE / "epymarl", Columns())


def test_marl_evals_own_file_is_read() -> None:
    found = read(HERE / "marl-eval" / "metrics.json", Columns())
    assert found.tracks["0"].steps.tolist() == [500.0 * i for i in range(1, 9)]
    assert found.tracks["0"].values[0] == pytest.approx(-86.325565)
    assert found.notes == ("mpe2/simple_spread/reinforce; a value is the mean of the episodes that it lists",)


def test_a_table_in_long_form_is_read() -> None:
    found = read(HERE / "mpe2.csv", Columns())
    assert [len(track.steps) for track in found.tracks.values()] == [160, 160, 160]
    assert found.tracks["0"].values[:2].tolist() == [-69.5465, -122.8973]


def test_parquet_is_read_where_pyarrow_is() -> None:
    if importlib.util.find_spec("pyarrow") is None:
        with pytest.raises(ValueError, match=r"need pyarrow, which is not installed here: pip install"):
            read(HERE / "mpe2.parquet", Columns())
        pytest.skip("pyarrow is not installed")
    of_table = read(HERE / "mpe2.csv", Columns())
    for seed, track in read(HERE / "mpe2.parquet", Columns()).tracks.items():
        np.testing.assert_array_equal(track.values, of_table.tracks[seed].values)


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_columns_and_rows_are_chosen_by_name(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "run;algo;frames;ret\n3;A;10;1.5\n3;B;10;2\n3;A;20;\n")
    found = read(path, columns("seed=run,steps=frames,value=ret", ["algo=A"]))
    assert list(found.tracks) == ["3"]
    np.testing.assert_array_equal(found.tracks["3"].values, [1.5, np.nan])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed,steps,value\n0,1,x\n", "value must be a number, got 'x'"),
        ("seed,steps,value\n0,-1,1\n", "steps must be numbers of at least 0, got '-1' of seed 0"),
        ("seed,steps,value\n0,1,1\n0,1,2\n", "seed 0 has two after 1; --where"),
        ("seed,step,value\n0,1,1\n", "must have a column for steps, got seed, step, value"),
        ("seed,steps,value\n0,1,1,4\n", "line 2 has more"),
        ("seed,steps,value\n", "must have a column for steps, got none"),
        ("", "must have a column for steps, got none"),
    ],
)
def test_a_table_that_is_none_is_an_error_of_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read(table(tmp_path / "a.csv", text), Columns())


def test_what_is_no_file_of_any_tool_is_an_error(tmp_path: Path) -> None:
    for name, text, said in (
        ("a.json", "[1]", "must be as marl-eval has it"),
        ("b.json", "{", "must be JSON"),
        ("a.pkl", "", "end in .csv, .tsv, .parquet or .json, got '.pkl'"),
    ):
        with pytest.raises(ValueError, match=re.escape(said)):
            read(table(tmp_path / name, text), Columns())
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, said in ((tmp_path / "nowhere", "found nothing"), (empty, "found neither in the folder")):
        with pytest.raises(ValueError, match=said):
            read(path, Columns())


def test_several_methods_in_one_json_must_be_chosen_from(tmp_path: Path) -> None:
    test = {"step_0": {"step_count": 0, "return": [1.0, 2.0]}, "absolute_metrics": {"return": [9.0]}}
    path = table(tmp_path / "a.json", json.dumps({"mpe": {"spread": {"A": {"seed_0": test}, "B": {"seed_0": test}}}}))
    with pytest.raises(ValueError, match=r"found mpe/spread/A; mpe/spread/B; --where environment="):
        read(path, Columns())
    assert read(path, columns(None, ["algorithm=B"])).tracks["0"].values.tolist() == [1.5]


# ---------------------------------------------------------------------------------------------------------------- units


def factors(found: tuple[Convention, ...], changes: int) -> set[float]:
    return {round(one.factor, 9) for one in found if one.changes == changes and not one.shift and one.stride == 1}


def test_conventions_follow_from_the_games_agents_and_horizon() -> None:
    assert factors(conventions(CN_V1, RETURN), 1) == {3, 9, round(1 / 3, 9), 25, 0.04, 0.5, 0.25}
    assert {75.0, 225.0, round(1 / 75, 9)} <= factors(conventions(CN_V1, RETURN), 2)
    assert {3, 50, 0.02} <= factors(conventions(PushForward(), RETURN), 1)
    assert {4, 25} <= factors(conventions(Spread(n_agents=4), RETURN), 1)


def test_rewards_of_ones_own_are_not_counted_as_shared() -> None:
    game = GoalNavigation()
    n, horizon = game.roles[0].n_agents, game.horizon
    assert factors(conventions(game, RETURN), 1) & {n, 1 / n, n**2} == {n}
    assert horizon in factors(conventions(game, RETURN), 1)


def test_a_step_in_which_nothing_is_paid_says_nothing_of_what_is_shared() -> None:
    """Everyone gets the same 0."""
    game = Hunters()
    n = sum(role.n_agents for role in game.roles)
    assert factors(conventions(game, RETURN), 1) & {n, 1 / n, n**2} == {n}


def test_what_overlapping_itself_costs_is_seen_in_the_game() -> None:
    shifts = {one.shift for one in conventions(CN_V1, RETURN) if one.changes == 1}
    assert shifts == {0.0, -225.0}  # 25 steps, 3 agents each of which gets the sum of 3 penalties
    assert -75.0 in {one.shift for one in conventions(Spread(n_agents=3), RETURN)}


def test_what_is_no_sum_has_no_other_unit() -> None:
    found = conventions(CN_V1, "share of episodes that succeed")
    assert {(one.factor, one.shift) for one in found} == {(1.0, 0.0)}


ASKED = {
    "as it is": (1.0, 0.0, 1.0, ()),
    "mean over agents": (3.0, 0.0, 1.0, ("mean over the 3 agents",)),
    "added once more": (1 / 3, 0.0, 1.0, ("3 times too often",)),
    "mean of means": (9.0, 0.0, 1.0, ("a mean of their own rewards",)),
    "per step": (25.0, 0.0, 1.0, ("mean over the 25 steps",)),
    "times 25": (1 / 25, 0.0, 1.0, ("added at each of its 25 steps",)),
    "per step and agent": (75.0, 0.0, 1.0, ("3 agents", "per step")),
    "without self-collision": (1.0, -225.0, 1.0, ("overlapping itself",)),
    "without self-collision, of one agent": (3.0, -225.0, 1.0, ("3 agents", "overlapping itself")),
    "in episodes": (1.0, 0.0, 25.0, ("episodes of 25 steps",)),
    "in steps of agents": (1.0, 0.0, 1 / 3, ("steps of agents",)),
    "in episodes, of one agent": (3.0, 0.0, 25.0, ("3 agents", "episodes of 25 steps")),
    "longer episodes": (0.5, 0.0, 1.0, ("episodes of 50 steps",)),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("line", ["CN-V1/MADDPG-3", "CN-V2/CTEDD-G"])
def test_every_unit_is_found_on_recorded_curves(line: str, name: str, exhibit: Exhibit) -> None:
    factor, shift, stride, words = ASKED[name]
    theirs, ours = halves(stored(exhibit, line))
    given = theirs.converted(1 / factor, -shift / factor, 1 / stride)
    found = compared(given, ours)
    one = found.convention
    assert (one.factor, one.shift, one.stride) == pytest.approx((factor, shift, stride))
    assert all(word in " ".join(one.words) for word in words)
    np.testing.assert_allclose(found.theirs["0"].values, theirs.tracks["0"].values, rtol=1e-9)
    first = found.found.parts[0]
    of_both = [float(means(tracks, first.span).mean()) for tracks in (theirs.tracks, ours.tracks)]
    assert float(first.found.estimate) == pytest.approx(of_both[0] - of_both[1])


def test_benchmarls_own_files_are_found_to_be_means_over_agents() -> None:
    given = read(HERE / "benchmarl", Columns())
    steps = given.tracks["0"].steps
    ours = {seed: Track(steps, values) for seed, values in sums().items()}
    found = unit_of(given, ours, MARGIN, conventions(CN_V1, RETURN))
    assert found.taken.convention.factor == 3
    assert found.taken.misfit < 1e-3


def test_worse_curves_are_not_explained_by_a_unit(exhibit: Exhibit) -> None:
    theirs, ours = halves(stored(exhibit, "CN-V1/MADDPG-3"))
    flat = {seed: Track(track.steps, np.full_like(track.values, -690.0)) for seed, track in theirs.tracks.items()}
    found = compared(Curves("flat.csv", "return", flat), ours)
    assert not found.unit.is_other
    assert found.unit.as_it_is.misfit > 1


def test_what_is_made_small_lies_near_nothing() -> None:
    """Ours lies near 0, where any curve lies that is divided by enough."""
    rng = np.random.default_rng(0)
    ours, theirs = drawn(6, rng, level=3.0, spread=0.1), drawn(3, rng, level=-500.0)
    found = unit_of(Curves("a.csv", "return", theirs), ours, MARGIN, conventions(CN_V1, RETURN))
    assert not found.is_other


def test_a_second_change_must_bring_a_curve_nearer() -> None:
    rng = np.random.default_rng(8)
    ours, theirs = drawn(6, rng, spread=0.1), drawn(3, rng, level=-503.0, spread=0.1)
    given = Curves("a.csv", "return", theirs).converted(factor=1 / 3)
    close = Convention(3.0, words=("one",), changes=1), Convention(3.0, 3.0, words=("one and another",), changes=2)
    assert unit_of(given, ours, MARGIN, (Convention(), *close)).taken.convention == close[0]


def test_smoothing_is_found_and_ours_smoothed_alike() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = learning(6, rng), learning(3, rng)
    assert smoothing(theirs, ours).width == 1
    for width in (5, 10, 20):
        assert smoothing(smoothed(theirs, width), ours).width == width
    alike = smoothed(ours, 10)
    np.testing.assert_allclose(alike["0"].values[0], ours["0"].values[:10].mean())
    assert alike["0"].steps[0] == STEPS[9]


# ---------------------------------------------------------------------------------------------------------- equivalence


def held(theirs: Mapping[str, Track], ours: Mapping[str, Track], margin: Margin = MARGIN) -> Equivalence:
    within = span(theirs, ours)
    assert within is not None
    return equivalence(theirs, ours, margin, "larger", within)


def test_curves_agree_differ_or_nothing_is_shown() -> None:
    rng = np.random.default_rng(2)
    ours = drawn(6, rng)
    assert held(drawn(6, rng, level=-505.0), ours).verdict == "AGREE"
    assert held(drawn(6, rng, level=-590.0), ours).verdict == "DIFFER"
    assert held(drawn(6, rng, level=-410.0), ours).verdict == "DIFFER"
    assert held(drawn(4, rng, spread=80.0), ours).verdict == "UNDECIDED"


def test_curves_that_differ_by_the_margin_rarely_agree() -> None:
    rng = np.random.default_rng(3)
    n = 200
    agreed = sum(held(drawn(5, rng, level=-530.0), drawn(6, rng)).verdict == "AGREE" for _ in range(n))
    differed = sum(held(drawn(5, rng, level=-530.0), drawn(6, rng)).verdict == "DIFFER" for _ in range(n))
    assert agreed <= 0.05 * n + 3 * np.sqrt(0.05 * 0.95 * n)
    assert differed <= 0.05 * n + 3 * np.sqrt(0.05 * 0.95 * n)


def test_a_difference_is_shown_over_all_quarters_together() -> None:
    rng = np.random.default_rng(9)
    found = held(drawn(5, rng, level=-560.0), drawn(6, rng))
    for p, answer in ((0.02, "UNDECIDED"), (0.0125, "DIFFER")):
        of_parts = zip(found.parts, (p, 1.0, 1.0, 1.0), strict=True)
        parts = [part._replace(found=part.found._replace(refuted=np.asarray(of_part))) for part, of_part in of_parts]
        assert replace(found, parts=tuple(parts)).verdict == answer


def test_a_mean_over_a_quarter_is_the_area_under_straight_lines() -> None:
    track = Track(np.array([0.0, 10.0, 20.0]), np.array([0.0, 10.0, 0.0]))
    assert means({"0": track}, Span(0, 20)).tolist() == [5.0]
    assert means({"0": track}, Span(5, 15)).tolist() == [7.5]


def test_how_much_worse_they_may_be_is_the_end_of_the_interval() -> None:
    rng = np.random.default_rng(4)
    found = held(drawn(6, rng), drawn(6, rng))
    assert found.loss == pytest.approx(max(0.0, -float(found.parts[-1].found.low)))
    assert held(drawn(6, rng, level=-300.0), drawn(6, rng)).loss == 0


def test_a_seed_that_diverged_agrees_with_nothing() -> None:
    rng = np.random.default_rng(5)
    theirs = drawn(4, rng)
    theirs["2"].values[60:] = np.nan
    found = held(theirs, drawn(6, rng))
    assert (found.verdict, found.diverged) == ("DIFFER", ("2",))
    assert len(found.parts[0].theirs) == 3


def test_nothing_is_compared_from_where_ours_diverged() -> None:
    rng = np.random.default_rng(6)
    ours = drawn(6, rng)
    ours["1"].values[50] = np.inf
    assert span(drawn(3, rng), ours) == Span(10_000.0, 500_000.0)


def test_times_to_levels_are_those_from_which_on_two_tests_stay_there() -> None:
    steps = np.array([0.0, 100.0, 200.0, 300.0, 400.0])
    slow, fast = np.array([0.0, 0, 5, 10, 10]), np.array([0.0, 9, 4, 10, 10])
    ours = {str(i): Track(steps, slow) for i in range(3)}
    theirs = {str(i): Track(steps, fast) for i in range(3)}
    first, second, _ = reached(theirs, ours, Span(0, 400), (0.0, 8.0), horizon=10)
    assert (first.level, second.level) == (4.0, 6.0)
    assert (first.theirs, first.ours) == pytest.approx((10.0, 20.0))
    assert first.ratio == pytest.approx(2.0)
    assert (second.theirs, second.ours) == pytest.approx((30.0, 30.0))
    costs, own = ({seed: Track(one.steps, -one.values) for seed, one in side.items()} for side in (theirs, ours))
    again = reached(costs, own, Span(0, 400), (0.0, -8.0), horizon=10)[0]
    assert (again.level, again.theirs, again.ours) == pytest.approx((-4.0, 10.0, 20.0))


def test_one_seed_shows_nothing_but_whether_it_lies_among_single_runs() -> None:
    rng = np.random.default_rng(7)
    found = held(drawn(1, rng), drawn(6, rng))
    assert found.verdict == "UNDECIDED"
    assert found.seeds_to_decide == 0
    one, far = lone(found.parts[0]), lone(held(drawn(1, rng, level=-900.0), drawn(6, rng)).parts[0])
    assert one is not None and one.inside
    assert far is not None and not far.inside
    assert lone(held(drawn(2, rng), drawn(6, rng)).parts[0]) is None


def test_how_many_seeds_would_show_it_is_said_where_there_are_fewer(exhibit: Exhibit) -> None:
    theirs, ours = halves(stored(exhibit, "CN-V1/MADDPG-3"))
    found = compared(theirs, ours)
    assert found.verdict == "UNDECIDED"
    assert found.found.seeds_to_decide > 3
    assert f"{found.found.seeds_to_decide} seeds a side would show it" in verdict(found)
    alone = Curves("a.csv", "return", {"0": theirs.tracks["0"]})
    assert "one seed is too few to tell" in verdict(compared(alone, ours))


def test_the_same_run_twice_is_an_error(exhibit: Exhibit) -> None:
    theirs, ours = halves(stored(exhibit, "CN-V1/MADDPG-3"))
    twice = Curves("a.csv", "return", {"0": theirs.tracks["0"], "7": theirs.tracks["0"]})
    with pytest.raises(ValueError, match=r"never have the same curve, but 0 and 7 have"):
        compared(twice, ours)


def test_curves_that_share_nothing_with_ours_are_an_error(exhibit: Exhibit) -> None:
    line = stored(exhibit, "CN-V1/MADDPG-3")
    with pytest.raises(ValueError, match=r"steps 25 to 4,000 and ours 10,000 to 1,000,000; --counted"):
        compared(read(HERE / "mpe2.csv", Columns()), line)


# ------------------------------------------------------------------------------------------------------------ the lines


def test_the_margin_is_that_of_the_figures_claims(exhibit: Exhibit) -> None:
    found = stored(exhibit, "CN-V1/MADDPG-3").margin
    assert found.value == 30
    assert found.reason.startswith("as in CTEDD-F5-")
    assert stored(exhibit, "CN-V1/MADDPG-3", margin=5.0).margin.value == 5


def test_a_figure_without_such_a_claim_has_a_tenth_of_the_way() -> None:
    (figure,) = chosen("dvm/matching")
    (opened,) = Desk(Library(stores_of(RECORDED)), "paper").opened([figure])
    panel = opened.figure.panels[0]
    found = stored(opened, f"{panel.title}/{panel.lines[0].label}").margin
    assert found.value > 0


def test_a_line_that_there_is_not_is_named_with_those_that_there_are(exhibit: Exhibit) -> None:
    with pytest.raises(ValueError, match=r"one line called 'MADDPG-3', found 4; there are: CN-V1/CTEDD-G, "):
        stored(exhibit, "MADDPG-3")


# ----------------------------------------------------------------------------------------------------- the command line


def recorded_table(line: Stored, path: Path, factor: float) -> Path:
    """Three recorded seeds in another unit."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "steps", "value"])
        for seed in ("0", "1", "2"):
            track = line.tracks[seed]
            writer.writerows([seed, step, value / factor] for step, value in zip(*track, strict=True))
    return path


def test_the_command_finds_the_unit_says_so_and_writes_a_page(
    exhibit: Exhibit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded_table(stored(exhibit, "CN-V1/MADDPG-1"), tmp_path / "mine.csv", factor=3.0)
    asked = ["compare", str(path), "ctedd/fig5", "--line", "CN-V1/MADDPG-3", "--profile", "quick"]
    code = main([*asked, "--out", str(tmp_path)])
    out = capsys.readouterr().out
    assert code == CODES[compared(read(path, Columns()), stored(exhibit, "CN-V1/MADDPG-3")).verdict]
    assert "a mean over the 3 agents, or a reward that they share added once instead of 3 times" in out
    assert "Compared again with values × 3." in out
    assert any(answer in out for answer in VERDICTS.values())
    page = (tmp_path / "ctedd-fig5-CN-V1-MADDPG-3.html").read_text()
    assert "Compared again with values × 3." in page
    assert "<svg" in page
    assert (tmp_path / "ctedd-fig5-CN-V1-MADDPG-3.png").stat().st_size > 10_000


def test_the_stored_curves_agree_with_themselves(
    exhibit: Exhibit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded_table(stored(exhibit, "CN-V2/CTEDD-G"), tmp_path / "mine.csv", factor=1.0)
    asked = ["compare", str(path), "ctedd/fig5", "--line", "CN-V2/CTEDD-G", "--margin", "60", "--out", str(tmp_path)]
    assert main(asked) == 0
    out = capsys.readouterr().out
    assert "They agree: in every quarter" in out
    assert "Stored curves themselves: 3 of your 3." in out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--margin", "0"], "--margin must be a number above 0, got '0'"),
        (["--counted", "days"], "--counted must be one of steps, episodes, agent-steps, got 'days'"),
        (["--columns", "steps"], "must be NAME=VALUE, got 'steps'"),
        (["--columns", "step=a"], "--columns must name seed, steps or value, got step"),
        (["--where", "a=b"], "must have a column for a"),
    ],
)
def test_a_wrong_option_is_one_sentence(wrong: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["compare", str(HERE / "mpe2.csv"), "ctedd/fig5", "--line", "CN-V1/MADDPG-3", *wrong]
    assert main(asked) == 2
    assert said in capsys.readouterr().err


def test_gathering_sorts_seeds_by_number_and_steps_by_size() -> None:
    found = gathered("a", "v", [("10", 2, 1.0), ("9", 5, 2.0), ("9", 1, 3.0)])
    assert list(found.tracks) == ["9", "10"]
    assert found.tracks["9"].values.tolist() == [3.0, 2.0]
