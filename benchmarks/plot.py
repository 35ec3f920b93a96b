"""A picture of what incrementals cost against the share of rows that changed."""

from collections.abc import Sequence
from pathlib import Path

import pygal
from pygal.style import CleanStyle


def draw(points: Sequence[tuple[float, float, float]], title: str, path: Path) -> None:
    """Write an SVG.

    Args:
        points: share of the rows that changed; time and bytes of an incremental by those of a full backup.
        title: above it.
        path: of the file.
    """
    style = CleanStyle(font_family="sans-serif", colors=("#1f6feb", "#d29922", "#8c959f"))
    chart = pygal.Line(
        style=style, title=title, x_title="rows updated at random", y_title="ratio to a full backup", range=(0, None),
        legend_at_bottom=True, js=(), no_prefix=True, width=760, height=420,
    )  # fmt: skip
    chart.x_labels = [f"{share:.1%}" for share, _, _ in points]
    chart.add("time", [round(time, 3) for _, time, _ in points])
    chart.add("bytes", [round(size, 4) for _, _, size in points])
    chart.add("full backup", [1.0 for _ in points])
    path.write_bytes(chart.render())
