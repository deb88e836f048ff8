"""pytest as the interface: options, training before the first test, and the closing scoreboard.

Nothing is trained inside a test. Once -k has chosen, the cells of the chosen figures are looked up in the store, what
is missing is trained with live progress, and then the tests judge.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from benchmarks import Claim, Figure, Line, Panel
from benchmarks import _options as options
from benchmarks._campaign import Campaign, shortened
from benchmarks._catalogue import figures, read
from benchmarks._judging.desk import N_RECORDED, Desk, largest
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.plans import Kept
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

    @classmethod
    def of(cls, config: pytest.Config) -> Session:
        """The options, checked.

        Raises: ValueError where one of them cannot be.
        """
        named = config.getoption("--repro-profile")
        profile = None if named is None else options.profile(named)
        n_seeds = options.whole_number("seeds", config.getoption("--repro-seeds"))
        fresh = bool(config.getoption("--repro-fresh"))
        asked = config.getoption("--repro-store")
        folder = Path(asked) if asked else fresh_folder(options.FRESH) if fresh else options.LOCAL
        stores = Stores(Store(folder)) if fresh else options.stores_of(folder)
        settings = config.getoption("--repro-set")
        reading = options.reading(config.getoption("--repro-reading"), settings)
        wanted = (*(figures() if settings else ()), *read(figures(), reading))
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


SESSION = pytest.StashKey[Session]()


@pytest.hookimpl(optionalhook=True)  # whoever only judges need not have pytest-xdist
def pytest_xdist_auto_num_workers() -> int:
    """None: what is trained, judged and timed here is so by one process, which says how far it is."""
    return 0


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
    asked = config.stash[SESSION]
    asked.n_curves = n_curves(session.items)
    try:
        _prepare(config, asked, chosen_figures(session.items))
    except (ValueError, StoreError, ChildProcessError) as error:
        raise pytest.UsageError(str(error)) from error


def n_curves(items: list[pytest.Item]) -> int:
    """How many different curves the collected tests compare: a cell and metric is one, in however many panels."""
    asked = [item.callspec.params["line_of"] for item in items if "line_of" in parameters_of(item)]  # type: ignore[attr-defined]
    return max(len({(line.cell.key, line.metric) for _, _, line in asked}), 1)


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
    if trains and hasattr(config, "workerinput"):
        raise ValueError(
            f"{len(work)} cells have not been trained, and pytest-xdist would train each of them in every worker: "
            "train first, with `python -m benchmarks run` or without -n"
        )
    cells = [cell for figure in wanted for cell in figure.cells]
    asked.standing = standing_of(cells, asked.desk.library, N_RECORDED).words
    if wanted:
        Store(asked.folder).writable()  # the pictures go there, also where nothing is trained
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


def _campaign(asked: Session, wanted: list[Figure]) -> Campaign:
    """What is missing, at the speed of whatever has been trained."""
    states, timed = States(asked.folder / ".states"), Library(options.stores_of(options.LOCAL))
    others = tuple(cell for figure in figures() for cell in figure.cells)
    return Campaign(wanted, asked.desk, states, usable_device(asked.device), timed, others)


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Session:
    """The session's options, and every chosen figure opened once."""
    session = request.config.stash[SESSION]
    if not session.exhibits:
        session.open(chosen_figures(request.session.items))
    return session


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
    if asked.shown:
        terminalreporter.section("claims")
    for exhibit in asked.exhibits.values():
        for line in scoreboard(exhibit, asked.shown):
            terminalreporter.write_line(shortened(line, max(80, shutil.get_terminal_size().columns)))
    if asked.standing:
        terminalreporter.write_line(asked.standing)
    told = {curve: said for curve, said in asked.excluded.items() if said}
    if told:
        terminalreporter.section("compared with the recorded curves, at the end")
    for curve, said in told.items():
        terminalreporter.write_line(f"{curve}: {said}")
    for path in asked.drawn:
        terminalreporter.write_line(f"drawn: {path}")


def scoreboard(exhibit: Exhibit, shown: Container[str]) -> list[str]:
    """What the claims of a figure came to, those that are `shown` by their ids."""
    claims = [claim for claim in exhibit.figure.claims if claim.id in shown]
    return [
        f"{claim.id:13} {exhibit.verdicts[claim.id].outcome:15} {extent(exhibit, claim):23} {claim.sentence}"
        for claim in claims
    ]


def extent(exhibit: Exhibit, claim: Claim) -> str:
    """Which profile a claim was judged in, and how much of the paper's training that is."""
    return f"{exhibit.profile}, {exhibit.share(claim):.0%} of the steps"
