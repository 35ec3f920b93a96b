"""Paths of schemas as one text: DuckDB 2 nests schemas, and older releases and most databases do not.

A name stands for itself; one with a dot or a quote in it is quoted, so that a path reads back without doubt.
"""

import re

_QUOTED = re.compile(r'[."]')
_PATH = re.compile(r'(?:"(?:[^"]|"")+"|[^."]+)(?:\.(?:"(?:[^"]|"")+"|[^."]+))*')
_PART = re.compile(r'"(?:[^"]|"")+"|[^."]+')


def schema_path(names: tuple[str, ...]) -> str:
    """The names of nested schemas, outermost first, as one path: `a.b`, `"a.b"` for a schema of that one name."""
    return ".".join('"' + name.replace('"', '""') + '"' if _QUOTED.search(name) else name for name in names)


def schema_names(path: str) -> tuple[str, ...]:
    """The names in a path.

    Raises:
        ValueError: it is none.
    """
    if not _PATH.fullmatch(path):
        raise ValueError(f"{path!r} is not the path of a schema")
    parts = _PART.findall(path)
    return tuple(part[1:-1].replace('""', '"') if part.startswith('"') else part for part in parts)
