"""What decides a claim, as data that cannot move, and the verdicts that are kept with it.

A plan says which rows, rules, δ, windows and preconditions decide a claim, of how many seeds and steps at each of its
two looks. It is stored with the first verdict, and every later one is held against it: a plan that moved after numbers
were seen is an error that says what moved. It may be moved openly, for a reason that stays in the file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from benchmarks import LOOKS, Cell, Claim, Figure, Row, Score, Verdict, scores_of
from benchmarks._judging.comparisons import MOST_CENSORED
from benchmarks._judging.statistics import ALPHA, FEWEST_FLIPPED
from results import StoreError
from results._sealed import read, write

RULES = {
    "alpha": ALPHA,
    "correction": "Benjamini-Hochberg over the paper's claims of a kind, Holm within a claim, Simes for its refutation",
    "most censored": MOST_CENSORED,
    "sign flips from": FEWEST_FLIPPED,
}
UNKEPT = ("INCOMPLETE", "UNTESTABLE")  # outcomes before which no number was seen
REMEDY = "restore it from git, or write it by `python -m benchmarks record`"

Plan = dict[str, Any]


def plan_of(figure: Figure, claim: Claim) -> Plan:
    """All that decides a claim, as JSON values; names and words of rows are left out, for they decide nothing."""
    cells = {score.cell.key: score.cell for row in claim.rows for score in scores_of(row)}
    return {
        "kind": claim.kind,
        "holds": claim.holds,
        "rows": [_row(row) for row in claim.rows],
        "looks": {look: {_name(cell): _size(figure, look, cell) for cell in cells.values()} for look in LOOKS},
        "rules": RULES,
    }


def _row(row: Row) -> Plan:
    unsaid = {"label", "even", *([] if row.group else ["group"]), *(["seeds"] if row.seeds == "all" else [])}
    parts = {item.name: _planned(getattr(row, item.name)) for item in fields(row) if item.name not in unsaid}
    return {**parts, "paired": row.paired}


def _planned(thing: Any) -> Any:
    """A dataclass as JSON values, with its class; a score as a text, its cell by name and game. Reasons stay out."""
    if isinstance(thing, Score):
        beside = "" if thing.beside is None else f", beside {thing.beside}"
        less = "" if thing.less is None else f", less {_planned(thing.less)}"
        among = "" if thing.among is None else f", among {_planned(thing.among.score)} above {thing.among.above:g}"
        return f"{_name(thing.cell)}, {thing.metric}, {thing.statistic}{beside}{less}{among}"
    if is_dataclass(thing) and not isinstance(thing, type):
        kept = {item.name: _planned(getattr(thing, item.name)) for item in fields(thing) if item.name != "reason"}
        return {"class": type(thing).__name__, **kept}
    return [_planned(item) for item in thing] if isinstance(thing, tuple) else thing


def _name(cell: Cell) -> str:
    return f"{cell.name} on {cell.environment}"


def _size(figure: Figure, look: str, cell: Cell) -> list[int]:
    budget = figure.budget(look, cell)
    return [budget.n_seeds, budget.n_steps]


def digest(plan: Plan) -> str:
    """Of all that a plan says."""
    return hashlib.sha256(json.dumps(plan, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def differences(old: Any, new: Any, where: str = "") -> list[str]:
    """What moved between two plans, one sentence each."""
    if old == new:
        return []
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        names = dict.fromkeys([*old, *new])
        return [said for name in names for said in differences(old.get(name), new.get(name), f"{where} {name}".strip())]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True), start=1)
        return [said for i, pair in pairs for said in differences(*pair, f"{where} {i}".strip())]
    if isinstance(old, list) and isinstance(new, list):
        return [f"{where}: {len(old)} became {len(new)}"]
    return [f"{where}: {_shown(old)} became {_shown(new)}"]


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


# -------------------------------------------------------------------------------------------------------- what is kept


@dataclass(frozen=True)
class Kept:
    """Verdicts by look and claim, and the plan of every claim, with the plans that it had before and why they moved."""

    verdicts: Mapping[str, Mapping[str, Mapping[str, Any]]]
    plans: Mapping[str, Mapping[str, Any]]

    @classmethod
    def at(cls, path: Path) -> Kept:
        """What a file holds.

        Raises: StoreError where it is not there, not whole, not as it was written, or holds no verdict.
        """
        content = read(path)
        if content is None:
            raise StoreError(f"{path} is missing, and with it what every claim came to: {REMEDY}")
        found = cls(content.get("verdicts", {}), content.get("plans", {}))
        if not any(found.verdicts.values()):
            raise StoreError(f"{path} holds no verdict: {REMEDY}")
        return found

    def outcome(self, look: str, claim: str) -> str | None:
        """What a claim came to, None where none is kept."""
        found = self.verdicts.get(look, {}).get(claim)
        return None if found is None else str(found["outcome"])

    def moved(self, claim: str, plan: Plan) -> list[str]:
        """What moved since the first verdict on a claim; nothing where there was none."""
        kept = self.plans.get(claim)
        if kept is None or kept["digest"] == digest(plan):
            return []
        return differences(kept["plan"], json.loads(json.dumps(plan))) or ["its digest was edited"]


def keep(
    path: Path,
    verdicts: Mapping[str, Mapping[str, Verdict]],
    plans: Mapping[str, Plan],
    moving: Mapping[str, str] | None = None,
    waiting: Container[str] = (),
) -> Kept:
    """Writes the verdicts of every look, at once; `moving` holds the reason for each plan that may move or go.

    Claims that are `waiting` for a measurement have no plan now, and keep the one that they had.

    Raises: ValueError where the plan of a claim that has had a verdict moved, or the claim is gone, without a reason.
    """
    before = Kept.at(path) if path.exists() else Kept({}, {})
    allowed = moving or {}
    kept = {
        look: {id_: evidence_of(verdict) for id_, verdict in found.items() if verdict.outcome not in UNKEPT}
        for look, found in verdicts.items()
    }
    said = [
        f"{claim}: its plan has moved since its first verdict: {'; '.join(moved[:5])}"
        for claim, plan in plans.items()
        if (moved := before.moved(claim, plan)) and claim not in allowed
    ]
    said += [
        f"{claim} has had a verdict and is gone"
        for claim in sorted(set(before.plans) - set(plans) - set(allowed))
        if claim not in waiting
    ]
    if said:
        raise ValueError(" | ".join(said) + ' (openly: --replan CLAIM --because "…")')
    seen = {claim for found in kept.values() for claim in found} | set(before.plans)
    stored = {claim: _stored(before.plans.get(claim), plans.get(claim), allowed.get(claim)) for claim in sorted(seen)}
    write(path, {"verdicts": kept, "plans": stored})
    return Kept.at(path)


def _stored(before: Mapping[str, Any] | None, plan: Plan | None, because: str | None) -> dict[str, Any]:
    """A plan with its history; one that is gone keeps its last."""
    history = list(before["moved"]) if before is not None else []
    if before is not None and because is not None and (plan is None or before["digest"] != digest(plan)):
        history.append({"digest": before["digest"], "because": because})
    if plan is None:
        assert before is not None
        return {**before, "moved": history}
    return {"digest": digest(plan), "plan": plan, "moved": history}


def evidence_of(verdict: Verdict) -> dict[str, Any]:
    """A verdict with its evidence, as JSON values; a number that is none is null or a text."""
    found: dict[str, Any] = _finite(asdict(verdict))
    del found["claim"], found["profile"]
    return {"reading": verdict.claim.partition("@")[2] or "default", **found, "rows": list(found["rows"])}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "∞" if value > 0 else "−∞"
    return value


def disagreements(kept: Any, found: Any, where: str = "", slack: float = 1e-6) -> list[str]:
    """Where two pieces of evidence differ by more than rounding does on other machines."""
    if isinstance(kept, dict) and isinstance(found, dict):
        names = dict.fromkeys([*kept, *found])
        return [s for name in names for s in disagreements(kept.get(name), found.get(name), f"{where} {name}".strip())]
    if isinstance(kept, Sequence) and isinstance(found, Sequence) and not isinstance(kept, str):
        if len(kept) != len(found):
            return [f"{where}: {len(kept)} are kept, {len(found)} found"]
        pairs = enumerate(zip(kept, found, strict=True), start=1)
        return [s for i, pair in pairs for s in disagreements(*pair, f"{where} {i}".strip())]
    if isinstance(kept, float | int) and isinstance(found, float | int):
        return (
            []
            if math.isclose(kept, found, rel_tol=slack, abs_tol=slack)
            else [f"{where}: {kept} is kept, {found} found"]
        )
    return [] if kept == found else [f"{where}: {kept} is kept, {found} found"]
