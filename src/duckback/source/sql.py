"""Quoting: the one way by which a name or a text enters a statement."""


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def qualified(*names: str) -> str:
    """Names as one dotted, quoted path."""
    return ".".join(identifier(name) for name in names)
