"""pytest as the interface: options, training before the first test, and the closing scoreboard.

Nothing is trained inside a test. Once -k has chosen, the cells of the chosen figures are looked up in the store, what
is missing is trained with live progress, and then the tests judge.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

from benchmarks import Figure, Line, Panel
from benchmarks import _options as options
from benchmarks._campaign import Campaign, cells
from benchmarks._catalogue import HERE, figures, lying_at, read, split
from benchmarks._judging.desk import N_RECORDED, Desk, largest
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.plans import Kept
from benchmarks._judging.reference import incomparable
from benchmarks._scoreboard import scoreboard
from benchmarks._training.circumstances import known_commit
from benchmarks._training.progress import Reporter, failed
from benchmarks._training.runner import jobs_on, train_all
from benchmarks._training.standing import standing_of
from benchmarks._training.work import Library, missing_work, usable_device, with_teachers
from results import States, Store, StoreError, Stores

COMPLETE = "complete"
IS_TIMED = importlib.util.find_spec("pytest_benchmark") is not None
collect_ignore = [] if IS_TIMED else ["speed"]


@dataclass
class Session:
    """What the options ask for, and what the tests have shown."""

    profile: str | None  # None: of every figure the largest that is there in full
    n_seeds: int | None
    device: str
    folder: Path
    fresh: bool
    strict: bool
    figures: tuple[Figure, ...]  # under the readings that are asked for
    time_limit: float | None
    desk: Desk
    exhibits: dict[str, Exhibit] = field(default_factory=dict)  # by the figures' ids, those of the chosen tests
    shown: set[str] = field(default_factory=set)  # ids of claims
    drawn: list[Path] = field(default_factory=list)
    standing: str = ""  # what is to be said of the code that has recorded what is judged
    n_curves: int = 1  # that the session compares with recorded ones
    excluded: dict[str, str] = field(default_factory=dict)  # by curve: which loss would have been noticed
    elsewhere: Path | None = None  # where pictures are drawn, if not in the store
    untested: Counter[str] = field(default_factory=Counter)  # how many curves were not compared, by the reason

    @classmethod
    def of(cls, config: pytest.Config) -> Session:
        """The options, checked.

        Raises: ValueError where one of them cannot be.
        """
        at = places(config)
        config.option.keyword, reading = split(config.option.keyword)
        named = config.getoption("--repro-profile")
        profile = None if named is None else options.profile(named)
        n_seeds = options.whole_number("seeds", config.getoption("--repro-seeds"))
        fresh = bool(config.getoption("--repro-fresh"))
        asked = config.getoption("--repro-store")
        folder = Path(asked) if asked else fresh_folder(options.FRESH) if fresh else options.LOCAL
        stores = Stores(Store(folder)) if fresh else options.stores_of(folder)
        settings = config.getoption("--repro-set")
        reading = options.reading(reading or config.getoption("--repro-reading"), settings)
        among = lying_at(at) if at else figures()
        wanted = (*(among if settings else ()), *read(among, reading))
        options.apart(wanted, folder)
        return cls(
            profile=profile,
            n_seeds=n_seeds,
            device=usable_device(config.getoption("--repro-device")),
            folder=folder,
            fresh=fresh,
            strict=bool(config.getoption("--repro-strict")),
            figures=wanted,
            time_limit=options.seconds(config.getoption("--repro-time-limit")),
            desk=Desk(Library(stores), profile or "quick", n_seeds, reference=Library(Stores(Store(options.RECORDED)))),
        )

    def open(self, chosen: Sequence[Figure]) -> None:
        """Opens figures, each once."""
        fixed = self.profile is not None or self.n_seeds is not None
        at = {figure.id: self.desk if fixed else largest(self.desk, figure) for figure in chosen}
        for desk in {desk.profile: desk for desk in at.values()}.values():
            own = [figure for figure in chosen if at[figure.id].profile == desk.profile]
            self.exhibits |= {exhibit.figure.id: exhibit for exhibit in desk.opened(own, figures())}

    @property
    def pictures(self) -> Path:
        """Where pictures are drawn."""
        return self.elsewhere or self.folder / "figures"

    @cached_property
    def kept(self) -> Kept:
        """What the recorded runs came to, and by which plans."""
        return Kept.at(options.VERDICTS)


def fresh_folder(parent: Path) -> Path:
    """Where a fresh training goes: the last one that was not finished, else a new one. Nothing is ever overwritten."""
    numbers = sorted(int(path.name) for path in parent.glob("[0-9]*")) if parent.exists() else []
    if numbers and not (parent / f"{numbers[-1]:04d}" / COMPLETE).exists():
        return parent / f"{numbers[-1]:04d}"
    return parent / f"{(numbers[-1] if numbers else 0) + 1:04d}"


def places(config: pytest.Config) -> list[Path]:
    """The figures' files and papers' folders among what pytest is to look at, in whose place it looks at their tests.

    None where it is also to look at all figures' tests.
    """
    given = [argument.partition("::") for argument in config.args]
    paths = [(config.invocation_params.dir / name).resolve() for name, _, _ in given]
    tests = HERE / "test_figures.py"
    found = [path for path in paths if path.exists() and path.is_relative_to(HERE) and _is_of_a_paper(path)]
    config.args = [
        f"{tests}{colons}{test}" if path in found else f"{name}{colons}{test}"
        for path, (name, colons, test) in zip(paths, given, strict=True)
    ]
    return [] if any(tests.is_relative_to(path) for path in paths) else found


def _is_of_a_paper(path: Path) -> bool:
    """Whether it is a paper's folder or a file in one."""
    folder = path if path.is_dir() else path.parent
    return folder.parent == HERE and folder.name in {figure.paper.name for figure in figures()}


SESSION = pytest.StashKey[Session]()
N_WORKERS = pytest.StashKey[int]()


@pytest.hookimpl(optionalhook=True)  # whoever only judges need not have pytest-xdist
def pytest_xdist_auto_num_workers() -> int:
    """None: what is trained, judged and timed here is so by one process, which says how far it is."""
    return 0


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Starts no workers of pytest-xdist either where some are asked for, but keeps in mind that they were."""
    asked = getattr(config.option, "numprocesses", None)
    config.stash[N_WORKERS] = asked if isinstance(asked, int) else 0
    if asked:
        config.option.numprocesses = 0


def pytest_report_header() -> list[str]:
    """What cannot be run here."""
    return [] if IS_TIMED else ["benchmarks/speed is left out, for it needs pytest-benchmark"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options carry a prefix, because a bare --profile collides with other plugins."""
    group = parser.getgroup("reproduction")
    group.addoption(
        "--repro-profile",
        help="smoke, quick or paper (default: of every figure paper where it has been run in full, or quick)",
    )
    group.addoption(
        "--repro-reading",
        default="",
        help="what else the papers' texts allow: a name that `python -m benchmarks list` shows, or all of them",
    )
    group.addoption(
        "--repro-set",
        action="append",
        default=[],
        metavar="CLASS.FIELD=VALUE",
        help="also the figures with a setting of one's own, such as MADDPG.learning_rate=0.02, beside them; repeatable",
    )
    group.addoption("--repro-seeds", help="how many seeds, instead of the profile's number")
    group.addoption("--repro-device", default="auto", help="auto, cpu or cuda")
    group.addoption("--repro-store", help=f"where one's own results are kept (default: {options.LOCAL})")
    group.addoption("--repro-fresh", action="store_true", help=f"ignore what is stored, train in {options.FRESH}")
    group.addoption("--repro-plan", action="store_true", help="say what is missing and how long it takes, and stop")
    group.addoption("--repro-no-train", action="store_true", help="judge what is there, train nothing")
    group.addoption("--repro-time-limit", help="stop at a checkpoint after this long, such as 9m; go on next time")
    group.addoption(
        "--repro-set-aside", action="store_true", help="begin anew where a training state is damaged or of other code"
    )
    group.addoption("--repro-strict", action="store_true", help="fail where a claim is not reproduced")


def pytest_configure(config: pytest.Config) -> None:
    """Checks the options before anything else."""
    try:
        config.stash[SESSION] = Session.of(config)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for every figure, and for every cell, curve and claim of it."""
    wanted = metafunc.config.stash[SESSION].figures
    for kind, cases in (
        ("figure", [(figure, figure.id) for figure in wanted]),
        ("cell_of", [((f, cell), f"{f.id}/{cell.environment}/{cell.name}") for f in wanted for cell in f.cells]),
        ("line_of", [((f, panel, line), f"{f.id}/{panel.title}/{line.label}") for f, panel, line in lines(wanted)]),
        ("claim_of", [((f, claim), f"{f.id}/{claim.id}") for f in wanted for claim in f.claims]),
    ):
        if kind in metafunc.fixturenames:
            metafunc.parametrize(kind, [case for case, _ in cases], ids=[name for _, name in cases])


def lines(wanted: Iterable[Figure]) -> list[tuple[Figure, Panel, Line]]:
    """Every curve of some figures."""
    return [(figure, panel, line) for figure in wanted for panel in figure.panels for line in panel.lines]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A name that no benchmark has is an error, not an empty success."""
    if not items and config.getoption("keyword"):
        known = ", ".join(figure.id for figure in config.stash[SESSION].figures)
        raise pytest.UsageError(f"-k {config.getoption('keyword')!r} chooses no benchmark; there are: {known}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Trains what the chosen tests need."""
    config = session.config
    if config.option.collectonly:
        return
    asked, wanted = config.stash[SESSION], chosen_figures(session.items)
    asked.n_curves = n_curves(session.items)
    try:
        _prepare(config, asked, wanted)
        asked.open(wanted)
    except (ValueError, StoreError, ChildProcessError) as error:
        raise pytest.UsageError(str(error)) from error
    asked.shown = {value[1].id for value in asked_of(session.items, "claim_of")}
    _leave_out(session, asked)


def _leave_out(session: pytest.Session, asked: Session) -> None:
    """Leaves out tests that have nothing to test, and counts the curves among them."""
    reasons = {item: _idle(item, asked) for item in session.items}
    asked.untested = Counter(why for item, why in reasons.items() if why and "line_of" in parameters_of(item))
    if idle := [item for item, why in reasons.items() if why]:
        session.config.hook.pytest_deselected(items=idle)
        session.items = [item for item, why in reasons.items() if not why]
        session.testscollected = len(session.items)


def _idle(item: pytest.Item, asked: Session) -> str:
    """Why a test has nothing to test: its claim cannot be tested, or its curve cannot be compared; else empty."""
    for figure, claim in asked_of([item], "claim_of"):
        verdict = asked.exhibits[figure.id].verdicts[claim.id]
        return verdict.note if verdict.outcome == "UNTESTABLE" else ""
    for figure, _, line in asked_of([item], "line_of"):
        shown = asked.exhibits[figure.id]
        return incomparable(shown.sample(line.cell).runs, shown.references[line.cell.key])
    return ""


def asked_of(items: Iterable[pytest.Item], kind: str) -> list[Any]:
    """What those tests are parametrised with that have such a parameter."""
    return [parameters_of(item)[kind] for item in items if kind in parameters_of(item)]


def n_curves(items: list[pytest.Item]) -> int:
    """How many different curves the collected tests compare: a cell and metric is one, in however many panels."""
    return max(len({(line.cell.key, line.metric) for _, _, line in asked_of(items, "line_of")}), 1)


def parameters_of(item: pytest.Item) -> dict[str, object]:
    """What a test is parametrised with."""
    found: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    return found


def chosen_figures(items: list[pytest.Item]) -> list[Figure]:
    """The figures of the collected tests, each once."""
    found: dict[str, Figure] = {}
    for item in items:
        for value in parameters_of(item).values():
            figure = value[0] if isinstance(value, tuple) else value
            if isinstance(figure, Figure):
                found[figure.id] = figure
    return list(found.values())


def _prepare(config: pytest.Config, asked: Session, wanted: list[Figure]) -> None:
    work = missing_work(wanted, asked.desk.profile, asked.n_seeds, asked.desk.library)
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if config.getoption("--repro-plan"):
        pytest.exit(_campaign(asked, wanted).words(jobs_on(usable_device(asked.device), work)), returncode=0)
    trains = bool(work) and not config.getoption("--repro-no-train")
    if trains and config.stash[N_WORKERS]:
        raise ValueError(
            f"{cells(len(work))} must be trained first, which -n {config.stash[N_WORKERS]} does not help, for training "
            "takes every core by itself: leave -n out, or train with `python -m benchmarks run`"
        )
    asked.standing = standing_of(
        [cell for figure in wanted for cell in figure.cells], asked.desk.library, N_RECORDED
    ).words
    if wanted:
        _find_room(config, asked, trains=trains)
    if not trains:
        return
    if terminal is None:
        raise ValueError("training needs pytest's terminal reporter to show its progress, got -p no:terminal")
    if asked.folder.resolve() == options.RECORDED.resolve():
        known_commit()
    states, device = States(asked.folder / ".states"), usable_device(asked.device)
    work = with_teachers(work, states, device)
    terminal.ensure_newline()
    for line in asked.desk.warnings(wanted):
        terminal.write_line(line)
    terminal.write_line(f"training {len(work)} cells into {asked.folder}")
    trained = train_all(
        work,
        Store(asked.folder),
        states,
        device,
        time_limit=asked.time_limit,
        set_aside=config.getoption("--repro-set-aside"),
        report=Reporter(lambda text: terminal.write(text, flush=True), over=terminal.isatty).report,
    )
    terminal.ensure_newline()
    if trained.failures:
        terminal.write_line(failed(trained.failures), red=True)
    elif not trained.complete:
        pytest.exit("the time is up, training stands at a checkpoint: the same command goes on", returncode=3)
    if trained.complete and asked.fresh and not config.getoption("--repro-store"):
        (asked.folder / COMPLETE).touch()


def _find_room(config: pytest.Config, asked: Session, *, trains: bool) -> None:
    """Draws pictures elsewhere where nothing is trained and the usual folder cannot be written to.

    Raises: StoreError where something is to be trained, or the user named the folder.
    """
    try:
        Store(asked.folder).writable()
    except StoreError:
        if trains or asked.fresh or config.getoption("--repro-store"):
            raise
        asked.elsewhere = Path(tempfile.mkdtemp(prefix="figures-"))


def _campaign(asked: Session, wanted: list[Figure]) -> Campaign:
    """What is missing, at the speed of whatever has been trained."""
    timed = Library(options.stores_of(options.LOCAL))
    return Campaign.into(asked.folder, wanted, asked.desk, asked.device, timed)


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Session:
    """The session's options, and every chosen figure opened once."""
    return request.config.stash[SESSION]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A session whose every benchmark was skipped has shown nothing."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or not chosen_figures(session.items):
        return
    counted = {name: len(terminal.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
    if counted["skipped"] and not counted["passed"] + counted["failed"] + counted["error"]:
        terminal.write_line("every benchmark was skipped: nothing has been shown", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """The scoreboard of the chosen claims, and where the pictures are."""
    asked = config.stash[SESSION]
    width = max(80, shutil.get_terminal_size().columns)
    board = [line for exhibit in asked.exhibits.values() for line in scoreboard(exhibit, asked.shown, width)]
    if board:
        terminalreporter.section("claims")
    for line in board:
        terminalreporter.write_line(line)
    if board:
        terminalreporter.ensure_newline()
    for why, n in asked.untested.items():
        terminalreporter.write_line(f"{n} curves are {why}: nothing to compare")
    if asked.standing:
        terminalreporter.write_line(asked.standing)
    told = {curve: said for curve, said in asked.excluded.items() if said}
    if told:
        terminalreporter.section("compared with the recorded curves, at the end")
    for curve, said in told.items():
        terminalreporter.write_line(f"{curve}: {said}")
    for path in asked.drawn:
        terminalreporter.write_line(f"drawn: {path}")
