"""The benchmark as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_control.demo.benchmark import Cell

__all__ = ["draw"]

COLORS = ("#b8c0ca", "#7f9fbf", "#d9a441", "#2f7d5b")
"""One per contestant; they differ in gray, too."""
DAMAGED = "#b3261e"
BAR_WIDTH = 0.2


def draw(cells: Sequence[Cell], path: Path) -> str:
    """Draw a panel per setting of the hints: right answers, then damaged and fallback ones.

    Returns:
        One line that says where the picture is, or why there is none.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  (optional, and slow to import)
    except ImportError:
        return "No figure: matplotlib is not installed (pip install 'langchain-control[plot]')."
    settings = list(dict.fromkeys(cell.hints for cell in cells))
    canvas = Figure(figsize=(12, 5), layout="constrained")
    panels = canvas.subplots(1, len(settings), sharey=True, squeeze=False)[0]
    for panel, hints in zip(panels, settings, strict=True):
        _draw_panel(panel, [cell for cell in cells if cell.hints == hints])
        panel.set_title(hints)
    panels[0].set_ylabel("share of requests, %")
    handles, labels = panels[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    canvas.suptitle(f"The same {cells[0].score.n} tickets, prompt and contract for everybody")
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(path, dpi=150)
    return f"Figure: {path}"


def _draw_panel(panel: Any, cells: Sequence[Cell]) -> None:
    rates = list(dict.fromkeys(cell.failure_rate for cell in cells))
    names = list(dict.fromkeys(cell.contestant for cell in cells))
    for position, (name, color) in enumerate(zip(names, COLORS, strict=True)):
        places = [i + (position - (len(names) - 1) / 2) * BAR_WIDTH for i in range(len(rates))]
        scores = [cell.score for cell in cells if cell.contestant == name]
        right = [100 * s.right / s.n for s in scores]
        damaged = [100 * (s.met - s.right) / s.n for s in scores]
        fallback = [100 * s.fallbacks / s.n for s in scores]
        is_last = position == len(names) - 1
        bars = panel.bar(places, right, BAR_WIDTH, color=color, label=f"{name}: right")
        panel.bar_label(bars, fmt="%.0f", label_type="center", fontsize=9)
        panel.bar(
            places, damaged, BAR_WIDTH, right, color=DAMAGED, label="damaged" if is_last else None
        )
        panel.bar(
            places,
            fallback,
            BAR_WIDTH,
            [r + d for r, d in zip(right, damaged, strict=True)],
            color="white",
            edgecolor="#8a8a8a",
            hatch="///",
            linewidth=0.6,
            label="fallback" if is_last else None,
        )
    panel.set_xticks(range(len(rates)), [f"{rate:.0%}" for rate in rates])
    panel.set_xlabel("first answers that fail")
    panel.set_ylim(0, 105)
    panel.spines[["top", "right"]].set_visible(False)
