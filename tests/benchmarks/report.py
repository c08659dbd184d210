"""How figures are said: medians with their spread, and ratios with a goal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Report:
    """Collects the ratios; `failed` holds those beyond their limit."""

    ratios: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def figure(self, name: str, values: Sequence[float], unit: str) -> float:
        """Print median (min–max) of the blocks and give the median."""
        median = statistics.median(values)
        spread = f"({min(values):,.1f}–{max(values):,.1f})"
        print(f"  {name:<46} {median:>10,.1f} {unit:<10} {spread}", flush=True)
        return median

    def ratio(
        self,
        name: str,
        ours: Sequence[float],
        theirs: Sequence[float],
        *,
        goal: float,
        fails: float,
        at_most: bool = False,
    ) -> None:
        """Print ours / theirs, block by block: neighbours in time share the machine's mood.

        The run fails when the median is below `fails` (or above it, with `at_most`).
        """
        blocks = [a / b for a, b in zip(ours, theirs, strict=True) if b]
        value = statistics.median(blocks)
        met = value <= goal if at_most else value >= goal
        line = (
            f"  → {name:<44} {value:>8.2f} ×   ({min(blocks):.2f}–{max(blocks):.2f})"
            f"   goal {'≤' if at_most else '≥'} {goal:g}   {'met' if met else 'not met'}"
        )
        print(line, flush=True)
        self.ratios.append(line)
        if value > fails if at_most else value < fails:
            self.failed.append(f"{name}: {value:.2f}, the limit is {fails:g}")

    def limit(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        goal: float,
        fails: float,
        at_least: bool = False,
    ) -> None:
        """Print a figure that has a goal of its own: at most (or at least) `goal` of `unit`."""
        met = "met" if (value >= goal if at_least else value <= goal) else "not met"
        sign = "≥" if at_least else "≤"
        line = f"  → {name:<44} {value:>8.2f} {unit:<14} goal {sign} {goal:g}   {met}"
        print(line, flush=True)
        self.ratios.append(line)
        if value < fails if at_least else value > fails:
            self.failed.append(f"{name}: {value:.2f} {unit}, the limit is {fails:g}")

    def summary(self) -> None:
        """All ratios once more, and what failed."""
        print("\nratios")
        for line in self.ratios:
            print(line)
        for line in self.failed:
            print(f"FAILED {line}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
