"""docs/benchmarks.md and its picture, from the tables of the README and of docs/incrementals.md."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tools.markdown import filled

_ROOT = Path(__file__).parents[1]
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 760, 30, 730, 40, 44
_LEAST, _MOST = 0.01, 4.0
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
_NUMBER = r"\d+(?:\.\d+)?"
_COLUMNS = 5
_STYLE = (
    "text{font:12px sans-serif;fill:#1f2328}text.tick{text-anchor:middle;fill:#57606a}"
    "line.grid{stroke:#d0d7de}line.peer{stroke:#57606a;stroke-width:1.5}line.span{stroke:#1f6feb;stroke-width:3}"
    "circle{fill:#1f6feb}path{fill:none;stroke:#d29922;stroke-width:2}"
)


@dataclass(frozen=True)
class Ratio:
    """One ratio to a peer, or the two ends of several, and what it is held to."""

    low: float
    high: float
    target: float | None


def benchmarks() -> str:
    """The document."""
    said, _, table = _section("README.md", "## Numbers").partition("\n\n| ")
    costs = _section("docs/incrementals.md", "## What it costs")
    return filled(
        "benchmarks.md",
        numbers=_within_docs(f"{said}\n\n| {table}"),
        incrementals=costs.partition("![")[0].strip(),
    )


def picture() -> str:
    """Every ratio of the README's table on one axis, as an SVG."""
    rows = list(_ratios(_section("README.md", "## Numbers")))
    height = _TOP + _ROW * len(rows) + 12
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">',
        f"<title>Ratios to the peers</title><style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="#fff"/>',
        *(line for tick in _TICKS for line in _grid(tick, height)),
        *(line for number, (what, found) in enumerate(rows) for line in _row(number, what, found)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _section(name: str, heading: str) -> str:
    """What stands below a heading, up to the next of its depth."""
    text = (_ROOT / name).read_text(encoding="utf-8")
    return text.partition(f"{heading}\n\n")[2].partition("\n## ")[0].strip()


def _within_docs(text: str) -> str:
    return text.replace("](docs/", "](").replace("[docs/", "[")


def _ratios(section: str) -> Iterator[tuple[str, list[Ratio]]]:
    """By what was measured, its ratios: those of different cases stand between semicolons."""
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != _COLUMNS or not re.match(_NUMBER, cells[3]):
            continue
        parts = re.sub(r"\([^)]*\)", "", cells[3]).split(";")
        targets = [re.match(rf"\s*({_NUMBER})\s*(?:,|$)", part) for part in cells[4].split(";")]
        found = []
        for part, target in zip(parts, [*targets, *[None] * len(parts)], strict=False):
            numbers = [float(number) for number in re.findall(_NUMBER, part)]
            found.append(Ratio(min(numbers), max(numbers), float(target[1]) if target else None))
        yield cells[0], found


def _x(ratio: float) -> float:
    if not _LEAST <= ratio <= _MOST:
        raise ValueError(f"the axis of the picture has no place for {ratio}")
    share = math.log(ratio / _LEAST) / math.log(_MOST / _LEAST)
    return round(_LEFT + share * (_RIGHT - _LEFT), 1)


def _grid(tick: float, height: int) -> Iterator[str]:
    kind = "peer" if tick == 1 else "grid"
    yield f'<line class="{kind}" x1="{_x(tick)}" y1="26" x2="{_x(tick)}" y2="{height - 8}"/>'
    yield f'<text class="tick" x="{_x(tick)}" y="18">{"peer" if tick == 1 else f"{tick:g}"}</text>'


def _row(number: int, what: str, ratios: list[Ratio]) -> Iterator[str]:
    top = _TOP + number * _ROW
    y = top + 18
    yield f'<text x="{_LEFT}" y="{top + 4}">{escape(what)}</text>'
    for ratio in ratios:
        if ratio.high > ratio.low:
            yield f'<line class="span" x1="{_x(ratio.low)}" y1="{y}" x2="{_x(ratio.high)}" y2="{y}"/>'
        for end in sorted({ratio.low, ratio.high}):
            yield f'<circle cx="{_x(end)}" cy="{y}" r="4"/>'
        if ratio.target is not None:
            yield f'<path d="M{_x(ratio.target)} {y - 8}V{y + 8}"/>'
