"""docs/architecture.md and its picture: the layers, and what the packages import."""

from collections.abc import Iterator
from html import escape

from tools.imports import contracts, imports, layers, meaning, reduced
from tools.markdown import code, filled, table

_WIDTH, _ROW, _BOX, _TALL, _TOP = 760, 74, 118, 36, 16
_STYLE = (
    "text{font:14px sans-serif;text-anchor:middle;dominant-baseline:central;fill:#1f2328}"
    "rect.box{fill:#ddf4ff;stroke:#1f6feb}path.arrow{fill:none;stroke:#57606a;stroke-width:1.2;marker-end:url(#tip)}"
)
_TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8z" style="fill:#57606a;stroke:none"/></marker>'
)


def architecture() -> str:
    """The document."""
    rows = ((code(package), meaning(package), _list(imports()[package])) for layer in layers() for package in layer)
    rules = "\n".join(f"- {contract['name']}." for contract in contracts())
    return filled("architecture.md", packages=table(("Package", "What it is", "Imports"), rows), rules=rules)


def _list(packages: frozenset[str]) -> str:
    return ", ".join(code(one) for layer in layers() for one in layer if one in packages)


def picture() -> str:
    """The layers from the top as an SVG, with an arrow for each import that no other arrows imply."""
    places = dict(_places())
    height = 2 * _TOP + _ROW * (len(layers()) - 1) + _TALL
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">',
        f"<title>What imports what</title><style>{_STYLE}</style><defs>{_TIP}</defs>",
        f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="#fff"/>',
        *(
            _arrow(places[package], places[other])
            for package, direct in reduced(imports()).items()
            for other in sorted(direct)
        ),
        *(_box(package, *place) for package, place in places.items()),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _places() -> Iterator[tuple[str, tuple[int, int]]]:
    """The middle of each package's box."""
    for number, layer in enumerate(layers()):
        for column, package in enumerate(layer):
            middle = _WIDTH // 2 + round((column - (len(layer) - 1) / 2) * 1.5 * _BOX)
            yield package, (middle, _TOP + number * _ROW + _TALL // 2)


def _box(package: str, x: int, y: int) -> str:
    left, top = x - _BOX // 2, y - _TALL // 2
    box = f'<rect class="box" x="{left}" y="{top}" width="{_BOX}" height="{_TALL}" rx="6"/>'
    return f'{box}<text x="{x}" y="{y}">{escape(package)}</text>'


def _arrow(tail: tuple[int, int], head: tuple[int, int]) -> str:
    (x1, y1), (x2, y2) = tail, head
    if y2 - y1 == _ROW:
        return f'<path class="arrow" d="M{x1} {y1 + _TALL // 2}L{x2} {y2 - _TALL // 2}"/>'
    # Past the boxes between them, on the side where the lower one is.
    side = 1 if x2 >= x1 else -1
    x1, x2 = x1 + side * _BOX // 2, x2 + side * _BOX // 2
    bend = side * (max(side * x1, side * x2) + 44 * ((y2 - y1) // _ROW))
    return f'<path class="arrow" d="M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}"/>'
