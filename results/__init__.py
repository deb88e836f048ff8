"""What was measured: one curve per seed, kept so that it is whole, ours and never overwritten by other numbers.

    store = Store(Path("results/recorded"))
    store.writable()                                   # a sentence now rather than after hours of training
    for seed in store.missing(cell, seeds=range(10), n_steps=3_000_000):
        store.save(cell, train(cell, seed))            # a Run
    store.load(cell, seed=3).upto(1_000_000).metrics["return"]

A result is a `Run` in a `Store`, small and kept in git; `Stores` reads one's own store first and the recorded one after
it. What training needs to go on lies outside git, in `States`.
"""

from results._certificates import Certificate
from results._files import Lock, StoreError
from results._history import PLACE, History, Session
from results._published import published, seal
from results._run import Run, disagreement
from results._states import State, States
from results._store import Keyed, Store, Stored, Stores, reaching

__all__ = [
    "PLACE",
    "Certificate",
    "History",
    "Keyed",
    "Lock",
    "Run",
    "Session",
    "State",
    "States",
    "Store",
    "StoreError",
    "Stored",
    "Stores",
    "disagreement",
    "published",
    "reaching",
    "seal",
]
