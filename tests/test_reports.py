"""Pages: whole, in agreement with the desk, escaped, the same twice, and rendered without training anything."""

from __future__ import annotations

import math
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from test_drawing import BAD, GOOD, N_TESTS, NEVER, beats, curves, figure, line, stored

import reports._site
from benchmarks import (
    Budget,
    Claim,
    Decision,
    Figure,
    Level,
    Line,
    Margin,
    Metric,
    NoWorse,
    Oftener,
    Outcome,
    Panel,
    Printed,
    Row,
    RowVerdict,
    Score,
    Seldom,
    Shorter,
    Verdict,
)
from benchmarks._catalogue import figures
from benchmarks._glances import Glance
from benchmarks._judging import words as told
from benchmarks._judging.desk import Desk, Exhibition, desks, exhibition
from benchmarks._judging.scores import EpisodesTo, Final, Fixed, Window
from benchmarks._options import SIMULATED
from benchmarks._scoreboard import scoreboard
from benchmarks._training.work import Library
from benchmarks.dvm import fig8
from reports import _facts as facts
from reports import _words as words
from reports.__main__ import main
from reports._facts import chapters
from reports._site import build, data, escaped, minus, prose
from results import Store, Stores

COMMAND = "python -m reports --profile quick"
TESTS = Metric("test return greedy", better="larger")
LEVEL = EpisodesTo(9.0)
ROW = RowVerdict("a > b", "INCONCLUSIVE", "INCONCLUSIVE", *(0.0,) * 8, 6, 6, 0, 0, False, 0.0, 0.0, 0.0, 0.0, "unit")
TIMES = {"smoke": 1, "quick": 1, "paper": 8}
VOID = {"meta", "link", "img", "br", "hr"}


def shown_at(desk: Desk, *several: Figure) -> Exhibition:
    return exhibition(dict.fromkeys((figure.id for figure in several), desk), several, SIMULATED)


def example() -> Figure:
    return figure(
        Panel("Game", (line(GOOD), line(BAD), line(NEVER)), "test return"),
        claims=(
            Claim(
                "S-1",
                "",
                "section | 1",
                "good < better & <script>alert(1)</script>",
                (beats(GOOD, BAD, about="beginning"),),
            ),
            Claim("S-2", "", "section 2", "good ends above bad", (beats(GOOD, BAD),)),
            Claim("S-3", "", "section 3", "good beats never", (beats(GOOD, NEVER, "Good > Never", "beginning"),)),
            Claim(
                "S-4",
                "",
                "section 4",
                "good needs fewer episodes",
                (Row("Good before Bad", Score(GOOD, TESTS, LEVEL), Score(BAD, TESTS, LEVEL), Shorter(), "beginning"),),
            ),
            Claim(
                "S-5",
                "",
                "section 5",
                "good is ten",
                (Row("Good = 10", Score(GOOD, TESTS, Final(5)), None, Printed(10.0, 5.0, "half of it"), "structure"),),
            ),
            Claim("S-6", "", "section 6", "nobody can check this", (), untestable="It contradicts itself: 1 < 0."),
        ),
        decisions=(Decision("What & why?", "This `<way>`.", "Because.", departs=True),),
        published=("good is 10 & more",),
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Desk, Figure]:
    folder = tmp_path_factory.mktemp("report")
    values = curves(5)
    values[2, 20:] = np.nan
    desk = stored(folder / "store", {GOOD: curves(10), BAD: values})
    build(shown_at(desk, example()), folder / "out", COMMAND)
    return folder, desk, example()


class Balanced(HTMLParser):
    """Refuses a tag that is not closed where it should be, and collects what the tests look at."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.numbers: list[str] = []
        self.links: list[str] = []
        self.alts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids += [found["id"]] if "id" in found else []
        self.numbers += [found["value"]] if tag == "data" else []
        self.links += [found[name] for name in ("href", "src") if name in found]
        self.alts += [found["alt"]] if tag == "img" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"


def parsed(path: Path) -> Balanced:
    parser = Balanced()
    parser.feed(path.read_text(encoding="utf-8"))
    assert not parser.open
    return parser


def test_every_page_is_whole_and_every_link_leads_somewhere(built: tuple[Path, Desk, Figure]) -> None:
    site = built[0] / "out" / "site"
    assert sorted(path.name for path in site.rglob("*.html")) == ["fig1.html", "index.html"]
    for path in site.rglob("*.html"):
        page = parsed(path)
        for link in page.links:
            name, _, anchor = link.partition("#")
            assert (path.parent / (name or path.name)).exists(), link
            assert not anchor or f'id="{anchor}"' in (path.parent / (name or path.name)).read_text()
        assert "http" not in "".join(page.links), "no foreign resource"
        assert "<script" not in path.read_text()


def test_every_claim_shows_the_outcome_of_the_desk(built: tuple[Path, Desk, Figure]) -> None:
    folder, desk, shown = built
    verdicts = desk.verdicts([shown])
    outcomes = {verdict.outcome for verdict in verdicts.values()}
    assert {"NOT ASSESSED", "INCOMPLETE", "UNTESTABLE"} < outcomes
    index = (folder / "out" / "site" / "index.html").read_text()
    page = (folder / "out" / "site" / "synthetic" / "fig1.html").read_text()
    markdown = (folder / "out" / "synthetic.md").read_text()
    for claim, verdict in verdicts.items():
        row = index.split(f">{claim}</a>")[1].split("</tr>")[0]
        assert f"</span> {verdict.outcome}</span>" in row
        strip, details = page.split("Claims in detail")
        card = strip.split(f'id="{claim.lower()}"')[0].rsplit("<article", 1)[1]
        card += strip.split(f'id="{claim.lower()}"')[1].split("</article>")[0]
        assert f"</span> {verdict.outcome}</span>" in card
        assert f"</span> {verdict.outcome}</span>" in details.split(f"<b>{claim}</b>")[1].split("</summary>")[0]
        assert words.signed(verdict.outcome) in next(text for text in markdown.split("\n") if f"[{claim}]" in text)


def test_the_first_page_is_a_tally_and_a_row_a_figure(built: tuple[Path, Desk, Figure]) -> None:
    folder, desk, shown = built
    readme = (folder / "out" / "README.md").read_text()
    outcomes = [verdict.outcome for verdict in desk.verdicts([shown]).values()]
    (row,) = (text for text in readme.split("\n") if text.startswith("| [synthetic/fig1](synthetic.md#synthetic-fig1)"))
    for outcome in set(outcomes):
        assert f"| **{words.signed(outcome)}** | {outcomes.count(outcome)} |" in readme
        assert f"{words.OUTCOMES[outcome].sign}&nbsp;{outcomes.count(outcome)}" in row
    assert readme.count("\n") < 30
    assert '<a id="synthetic-fig1"></a>' in (folder / "out" / "synthetic.md").read_text()


def test_a_verdict_stands_with_its_effect_margin_seeds_budget_and_levels(tmp_path: Path) -> None:
    desk = stored(tmp_path / "store", {GOOD: curves(10, 6), BAD: curves(5, 6)})
    rows = (beats(GOOD, BAD, about="beginning"),)
    claim = Claim("S-1", "“Good is good.”", "section 1", "good ends above bad", rows)
    levels = (Level("chance", 1.0), Level("a script", 20.0))
    panel = Panel("Game", (line(GOOD), line(BAD)), "test return", levels=levels)
    budgets = {profile: {"Game": Budget(6, 1000 * N_TESTS * times)} for profile, times in TIMES.items()}
    shown = replace(figure(panel, claims=(claim,)), budgets=budgets, pictured="A picture of theirs.")
    build(shown_at(desk, shown), tmp_path / "out", COMMAND)
    strip = (tmp_path / "out" / "site" / "synthetic" / "fig1.html").read_text().split("<figure>")[0]
    (row,) = desk.verdicts([shown])["S-1"].rows
    (exhibit,) = desk.opened([shown])
    board = "\n".join(scoreboard(exhibit, ["S-1"], 200))
    in_both = (
        "“Good is good.”",
        f"{told.plus(row.estimate)} in test return (greedy), 90 % interval {told.number(row.low)}",
        "from 0.33 on it matters",
        "12 % of the paper's steps, judged on the beginning",
    )
    for text in (*in_both, "Good ends above bad.", "6 a side, 12 %", "Game, test return: chance 1.00, a script 20.0"):
        assert text.replace("'", "&#39;") in strip
    assert [text for text in in_both if text not in board] == []  # the terminal says the same
    assert "A picture of theirs." in (tmp_path / "out" / "site" / "synthetic" / "fig1.html").read_text()
    cover = (tmp_path / "out" / "figures" / "cover.svg").read_text()
    parsed(tmp_path / "out" / "figures" / "cover.svg")
    assert "✓ REPRODUCED" in cover and "S-1; 6 seeds a side" in cover and 'id="panel-1"' in cover


def test_a_page_of_which_nothing_has_been_run_has_no_picture(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    shown = figure(Panel("Game", (line(NEVER),), "test return"))
    build(shown_at(Desk(Library(Stores(Store(store))), "quick"), shown), tmp_path / "out", COMMAND)
    text = (tmp_path / "out" / "site" / "synthetic" / "fig1.html").read_text()
    assert "<img" not in text
    assert (
        "Nothing of it has been run yet: <code>python -m benchmarks run synthetic/fig1 --profile quick</code>" in text
    )


def test_numbers_on_the_page_are_those_of_the_verdict(built: tuple[Path, Desk, Figure]) -> None:
    folder, desk, shown = built
    found = parsed(folder / "out" / "site" / "synthetic" / "fig1.html").numbers
    rows = [row for verdict in desk.verdicts([shown]).values() for row in verdict.rows]
    assert rows
    for row in rows:
        for number in (
            row.left_mean,
            row.right_mean,
            row.estimate,
            row.p,
            row.p_corrected,
            row.standardised,
            row.improvement,
        ):
            assert repr(float(number)) in found
        assert np.isnan(row.low) or {repr(float(row.low)), repr(float(row.high))} <= set(found)


def test_texts_are_escaped(built: tuple[Path, Desk, Figure]) -> None:
    out = built[0] / "out"
    for path in (out / "site" / "index.html", out / "site" / "synthetic" / "fig1.html"):
        text = path.read_text()
        assert "good &lt; better &amp; &lt;script&gt;alert(1)&lt;/script&gt;" in text
        assert "Of &lt;b&gt;bold&lt;/b&gt; claims &amp; others" in text
    assert "good &lt; better &amp; &lt;script&gt;" in (out / "synthetic.md").read_text()
    assert escaped("a_b *c* [d]\n<e>") == "a\\_b \\*c\\* \\[d\\] &lt;e&gt;"


def test_what_is_missing_or_diverged_is_said(built: tuple[Path, Desk, Figure]) -> None:
    text = (built[0] / "out" / "site" / "synthetic" / "fig1.html").read_text()
    assert NEVER.key in text
    assert "not run (40,000 steps asked)" in text
    assert "1 of 3 seeds diverged, so there is no mean" in text
    assert "There is no verdict yet: 3 seeds missing." in text
    assert "neither support nor contradict" in text
    assert "Never (not run)" in parsed(built[0] / "out" / "site" / "synthetic" / "fig1.html").alts[0]


def test_sources_units_and_departures_are_shown_without_local_paths(built: tuple[Path, Desk, Figure]) -> None:
    out = built[0] / "out"
    text = (out / "site" / "synthetic" / "fig1.html").read_text()
    for shown in (
        "abc123",
        "chip",
        "7 s",
        "3 of 3 runs: recorded with other code than is here now",
        GOOD.key,
        "departs from the paper",
        "<code>&lt;way&gt;</code>",
        "mean over &lt;4&gt; &amp; more episodes",
    ):
        assert shown in text
    assert '-k "synthetic and fig1" --repro-profile quick --repro-fresh' in text
    for path in [*out.rglob("*.html"), *out.rglob("*.md"), *out.rglob("*.svg")]:
        assert str(built[0]) not in path.read_text()


def test_the_same_runs_give_the_same_bytes(built: tuple[Path, Desk, Figure]) -> None:
    folder, _, shown = built
    again = Desk(Library(Stores(Store(folder / "store"))), "quick")
    build(shown_at(again, shown), folder / "again", COMMAND)
    first = {path.relative_to(folder / "out"): path.read_bytes() for path in (folder / "out").rglob("*.*")}
    assert {path.relative_to(folder / "again"): path.read_bytes() for path in (folder / "again").rglob("*.*")} == first


def test_an_empty_store_makes_a_whole_report_and_trains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> list[Path]:
        return []

    monkeypatch.setattr(reports._site, "save", refused)  # pictures have their own tests
    monkeypatch.setattr("benchmarks._training.loop.train", None)
    store = tmp_path / "store"
    store.mkdir()
    desk = Desk(Library(Stores(Store(store))), "quick")
    build(shown_at(desk, *figures()), tmp_path / "out", COMMAND)
    index = (tmp_path / "out" / "site" / "index.html").read_text()
    for shown in figures():
        page = parsed(tmp_path / "out" / "site" / f"{shown.id}.html")
        for claim in shown.claims:
            assert claim.id in index
            assert claim.id.lower() in page.ids
    assert list(store.iterdir()) == []


def test_each_figure_is_shown_in_the_largest_profile_that_has_been_run_in_full(tmp_path: Path) -> None:
    library = stored(tmp_path / "store", {GOOD: curves(10, n_tests=8 * N_TESTS), BAD: curves(5)}).library
    whole = figure(Panel("Game", (line(GOOD),), "y"), name="fig1")
    claim = Claim("S-1", "", "section 1", "good ends above bad", (beats(GOOD, BAD),))
    part = figure(Panel("Game", (line(GOOD), line(BAD)), "y"), claims=(claim,), name="fig2")
    found = desks(library, [whole, part], None)
    assert [found[shown.id].profile for shown in (whole, part)] == ["paper", "quick"]
    assert {desk.profile for desk in desks(library, [whole, part], "smoke").values()} == {"smoke"}
    build(exhibition(found, [whole, part], SIMULATED), tmp_path / "out", COMMAND)
    index, first, second = (
        (tmp_path / "out" / "site" / name).read_text()
        for name in ("index.html", "synthetic/fig1.html", "synthetic/fig2.html")
    )
    assert "has been run in full: 1 of profile paper, 1 of profile quick" in index
    assert "Profile paper: 3 seeds, 320,000" in first and "--repro-profile paper" in first
    assert "Profile quick: 3 seeds, 40,000" in second and "--repro-profile quick" in second
    assert "NOT ASSESSED" in second


def test_figures_of_the_paper_come_first_and_by_number() -> None:
    desk = Desk(Library(Stores(Store(Path("/nowhere")))), "quick")
    names = ("fig10", "copies", "table1", "fig2")
    all_of_them = [figure(Panel("Game", (line(GOOD),), "y"), name=name) for name in names]
    found = chapters(shown_at(desk, *all_of_them))
    assert [page.figure.name for page in found[0].families[0].pages] == ["fig2", "fig10", "table1", "copies"]


def test_numbers_in_words() -> None:
    assert [told.number(value) for value in (-4012.4, 12.345, 0.5, 0.0, np.nan, np.inf)] == [
        "−4,012", "12.3", "0.50", "0", "–", "∞",
    ]  # fmt: skip
    assert [words.probability(p) for p in (0.0004, 0.01234, 1.0, np.nan)] == ["< 0.001", "0.012", "1", "–"]
    assert told.plus(3.0) == "+3.00"
    assert words.duration(3900) == "1 h 05 min"
    assert str(data(1 / 3, "0.33")) == '<data value="0.3333333333333333">0.33</data>'


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        (
            ("REPRODUCED", "REPRODUCED"),
            "each of the 2 comparisons came out as it says by itself, but not beyond chance",
        ),
        (("REPRODUCED",), "the comparison came out as it says by itself, but not beyond chance"),
        (("REPRODUCED", "INCONCLUSIVE"), "1 of 2 comparisons came out as it says, 1 is open."),
        (("INCONCLUSIVE",), "nor refute it."),
    ],
)
def test_what_is_open_says_whether_the_comparisons_or_the_correction_leave_it_so(
    outcomes: tuple[Outcome, ...], text: str
) -> None:
    rows = tuple(replace(ROW, outcome=outcome, at_this_budget=outcome) for outcome in outcomes)
    said = words.conclusion(example().claims[0], Verdict("S-1", "INCONCLUSIVE", rows, "quick", "5 seeds"))
    assert said.startswith("These seeds neither show the sentence nor refute it")
    assert text in said


def test_what_is_negligible_by_itself_is_not_said_to_speak_against_the_direction_of_a_sentence() -> None:
    rows = (replace(ROW, outcome="NEGLIGIBLE"),) * 2
    said = words.conclusion(example().claims[0], Verdict("S-1", "NOT REPRODUCED", rows, "quick", "5 seeds"))
    assert said.startswith("The data exclude that the effect is large enough to matter.")
    assert "each of the 2 comparisons by itself, but not beyond chance" in said
    mixed = (rows[0], replace(ROW, outcome="NOT REPRODUCED"))
    said = words.conclusion(example().claims[0], Verdict("S-1", "NOT REPRODUCED", mixed, "quick", "5 seeds"))
    assert said.startswith("The data speak against the sentence: ")


def test_what_only_all_comparisons_together_refute_is_said_to_be() -> None:
    rows = (replace(ROW, outcome="INCONCLUSIVE"), replace(ROW, outcome="REPRODUCED"))
    said = words.conclusion(example().claims[0], Verdict("S-1", "NOT REPRODUCED", rows, "quick", "5 seeds"))
    assert f"1 is open{words.NOT_TOLD_WHICH}." in said
    told_which = (rows[0], replace(ROW, outcome="NOT REPRODUCED"))
    said = words.conclusion(example().claims[0], Verdict("S-1", "NOT REPRODUCED", told_which, "quick", "5 seeds"))
    assert "together" not in said


def test_a_page_says_what_few_seeds_can_never_decide(tmp_path: Path) -> None:
    desk = stored(tmp_path / "store", {GOOD: curves(10), BAD: curves(5)})
    rows = (replace(beats(GOOD, BAD), role="replicate"),) * 47  # 47/924 > .05
    does = Claim("S-1", "", "§1", "good is better", rows)
    can = replace(does, holds="some")
    build(shown_at(desk, figure(Panel("Game", (line(GOOD),), "y"), claims=(can,))), tmp_path / "out", COMMAND)
    text = (tmp_path / "out" / "site" / "synthetic" / "fig1.html").read_text()
    assert "With 6 seeds it cannot be shown, whatever they say: p is 0.051 at best." in text
    assert "cannot be refuted" not in text and "With 10 seeds it" not in text
    build(shown_at(desk, figure(Panel("Game", (line(GOOD),), "y"), claims=(does,))), tmp_path / "out", COMMAND)
    assert "it cannot be" not in (tmp_path / "out" / "site" / "synthetic" / "fig1.html").read_text()


def test_shares_of_seeds_in_words() -> None:
    share = replace(ROW, estimate=0.09, low=0.0, high=0.24, delta=0.25, left_mean=0.09, right_mean=0.25)
    seldom = replace(example().claims[0].rows[0], right=None, rule=Seldom(0.25, "…"))
    expected = "in 9.0 % of the seeds that count, 90 % interval 0 to 0.24; below 0.25 counts as hardly ever"
    assert told.effect(seldom, share) == expected
    oftener = replace(example().claims[0].rows[0], rule=Oftener(Margin(0.1, "…")))
    apart = replace(ROW, estimate=0.25, low=0.1, high=0.4, delta=0.1, left_mean=0.4, right_mean=0.15)
    expected = "in 40 % of the seeds, where the other has 15 %: a difference of +0.25, 90 % interval 0.10 to 0.40"
    assert told.effect(oftener, apart) == f"{expected}; from 0.10 on it matters"


def test_what_a_difference_is_in_is_said_where_it_is_made_of_several_scores() -> None:
    plain = example().claims[0].rows[0]
    assert told.quantity(plain.left) == "test return (greedy)"
    gain = replace(plain.left, less=plain.right)
    assert told.quantity(gain) == f"test return (greedy), less that of {BAD.name}"
    assert told.quantity(fig8.FIGURE.claims[-1].rows[0].left) == "cosine of force and gradient of Q"


def test_sides_are_named_where_a_label_does_not_tell_them_apart() -> None:
    plain = example().claims[0].rows[0]
    found = replace(ROW, estimate=-0.85, low=-0.95, high=-0.75, delta=0.1, left_mean=0.0, right_mean=0.85)
    effect = "−0.85 in test return (greedy), 90 % interval −0.95 to −0.75"
    assert told.effect(plain, found).startswith(effect)
    nothing = replace(plain, left=replace(plain.left, statistic=Fixed(0.0)), rule=NoWorse(Margin(0.1, "…")))
    expected = f"0 (fixed) against 0.85 (Bad): {effect}; up to 0.10 below counts as no worse"
    assert told.effect(nothing, found) == expected
    assert told.effect(replace(nothing, left=plain.left), found).startswith("0 (Good) against 0.85 (Bad): ")


def test_a_ratio_that_nothing_bounds_is_none() -> None:
    row = replace(example().claims[0].rows[0], rule=Shorter())
    unknown = replace(ROW, estimate=1.0, low=0.0, high=math.inf, delta=1.1)
    assert told.effect(row, unknown).startswith("too few seeds of either side reached it within the budget")
    assert told.effect(row, replace(unknown, low=1.2)).startswith("ratio of times, right over left, 1.00")


def test_what_one_gets_without_learning_is_said_of_the_panel_of_the_comparison(tmp_path: Path) -> None:
    levels = {title: (Level(f"level of {title}", 20.0),) for title in ("training", "test")}
    lines = {"training": Line("Good", GOOD, "training return"), "test": line(GOOD)}
    panels = [Panel(title, (lines[title], line(BAD)), "return", levels=levels[title]) for title in lines]
    claim = Claim("S-1", "", "section 1", "good ends above bad", (beats(GOOD, BAD, about="beginning"),))
    budgets = {profile: {"Game": Budget(6, 1000 * N_TESTS * times)} for profile, times in TIMES.items()}
    shown = replace(figure(*panels, claims=(claim,)), budgets=budgets)
    desk = stored(tmp_path, {GOOD: curves(10, 6), BAD: curves(5, 6)})
    (exhibit,) = desk.opened([shown])
    assert facts.levels(exhibit, claim, exhibit.verdicts["S-1"]) == "test, return: level of test 20.0"


def test_chance_is_told_from_a_learner_before_training() -> None:
    score = example().claims[0].rows[0].left
    before = replace(score, statistic=Window(0, 1))
    assert facts.by_chance(before, score, -424.0) == "test return −424 before training (Game)"
    nobody = replace(score, cell=replace(score.cell, name="Uniform"))
    assert facts.by_chance(nobody, score, -313.0) == "test return −313 by chance (Game)"
    fixed = replace(score, statistic=Fixed(-144.5))
    assert facts.by_chance(fixed, score, -144.5) == "test return −144 as fixed (Game)"


def test_what_the_colours_of_games_mean_is_said_of_those_that_differ(built: tuple[Path, Desk, Figure]) -> None:
    _, desk, shown = built
    page = chapters(shown_at(desk, shown))[0].families[0].pages[0]
    hares, more, stags = (Glance(name, "", f"green: {of}", None) for name, of in (("a", 1), ("b", 1), ("c", 2)))
    assert replace(page, games=(hares, more)).legend == "green: 1"
    assert replace(page, games=(hares, stags, more)).legend == "green: 1 (a, b); green: 2 (c)"


def test_a_page_without_claims_says_whether_the_paper_has_such_a_figure(tmp_path: Path) -> None:
    desk = stored(tmp_path / "store", {GOOD: curves(10)})
    for name, said in (("fig1", "The paper draws this figure and"), ("logs", "Not a figure of the paper: it is shown")):
        build(shown_at(desk, figure(Panel("Game", (line(GOOD),), "test return"), name=name)), tmp_path, COMMAND)
        assert said in (tmp_path / "site" / "synthetic" / f"{name}.html").read_text()


def test_why_nobody_has_learnt_is_said_once() -> None:
    rows = tuple(replace(ROW, outcome="NOT LEARNT", note=f"nobody has learnt: {of}") for of in "aab")
    verdict = Verdict("S-1", "NOT LEARNT", rows, "quick", "5 seeds")
    assert words.why(verdict) == "learning is not shown beyond chance: a; and 1 more"
    assert words.why(replace(verdict, outcome="INCONCLUSIVE")) == ""


def test_numbers_below_0_have_a_true_minus_and_code_has_not() -> None:
    assert minus("at -390 or [-1, 1], CTEDD-L-3, 150-160") == "at −390 or [−1, 1], CTEDD-L-3, 150-160"
    assert str(prose("-1, but `seed -1`")) == "−1, but <code>seed -1</code>"


def test_every_outcome_has_its_own_sign() -> None:
    assert len({meaning.sign for meaning in words.OUTCOMES.values()}) == len(words.OUTCOMES)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--profile", "huge"], "profile must be one of smoke, quick, paper, got 'huge'"),
        (["--store", "{}/absent"], "--store must be a folder of results"),
        (["--output", "{}/file"], "--output must be a folder, found a file"),
    ],
)
def test_user_errors_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    (tmp_path / "file").write_text("")
    given = [argument.format(tmp_path) for argument in arguments]
    assert main(["--store", str(tmp_path), *given]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1
