"""How figures are said: medians with their spread, and ratios with a goal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Report:
    """Collects lines; `failed` holds the ratios that miss their floor."""

    failed: list[str] = field(default_factory=list)

    def figure(self, name: str, values: Sequence[float], unit: str) -> float:
        """Print median (min–max) of the blocks and give the median."""
        median = statistics.median(values)
        print(f"  {name:<58} {median:>10,.1f} {unit}  ({min(values):,.1f}–{max(values):,.1f})")
        return median

    def ratio(self, name: str, a: float, b: float, *, goal: str, floor: float) -> None:
        """Print ``a / b`` with its goal; below `floor` the run fails."""
        value = a / b if b else float("inf")
        print(f"  → {name:<56} {value:>10.2f} ×    goal {goal}")
        if value < floor:
            self.failed.append(f"{name}: {value:.2f}, below {floor}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
