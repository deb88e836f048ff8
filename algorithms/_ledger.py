"""Running totals of what happens while training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass
class Ledger:
    """For every metric the sum and the number of what was entered, per seed.

    Totals never go back to zero: the mean over a window is the difference of two readings, so nothing that reads the
    ledger can disturb another reader.
    """

    totals: dict[str, Tensor]  # [S, 2] float64: sum, number

    @classmethod
    def of(cls, metrics: Iterable[str], n_seeds: int, device: torch.device) -> Ledger:
        """An empty ledger for the named metrics."""
        return cls({metric: torch.zeros(n_seeds, 2, dtype=torch.float64, device=device) for metric in metrics})

    def enter(self, metric: str, values: Tensor, where: Tensor | None = None) -> None:
        """Add values to a metric, all of them or those at `where`. Shapes: [S, ...] both."""
        flat = values.detach().to(torch.float64, memory_format=torch.contiguous_format).flatten(1)
        if where is not None:
            flat = torch.where(where.flatten(1), flat, 0.0)
        total, number = self.totals[metric].unbind(1)
        total.add_(flat.sum(1))
        number.add_(flat.shape[1] if where is None else where.flatten(1).sum(1))

    def enter_number(self, metric: str, value: float) -> None:
        """Add one value that all seeds share, rounded to float32 as what is measured."""
        total, number = self.totals[metric].unbind(1)
        total.add_(float(np.float32(value)))
        number.add_(1)
