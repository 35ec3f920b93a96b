"""Which tables a query may need, as far as its text and the catalogue tell."""

import re
from collections.abc import Iterator

from duckback.model.catalog import Catalog, Macro, Table


def mentioned(catalog: Catalog, sql: str) -> tuple[Table, ...]:
    """The tables whose names stand in a text, or in the definition of a view or macro that is named there, and so on.

    Names are looked for as bare words, in whatever schema or string they stand: what is found may be too much. It is
    too little only where a query puts a table's name together from pieces.

    Args:
        catalog: of the backup.
        sql: any text.
    """
    # Each name with the texts that come into play where it is named.
    bodies = [(macro.name, text) for macro in catalog.macros for text in _texts(macro)]
    bodies += [(view.name, view.sql) for view in catalog.views]
    bodies += [
        (table.name, column.generated) for table in catalog.tables for column in table.columns if column.generated
    ]
    text, waiting = sql, bodies
    while found := [(name, body) for name, body in waiting if _is_in(name, text)]:
        waiting = [one for one in waiting if one not in found]
        text = "\n".join([text, *(body for _, body in found)])
    return tuple(table for table in catalog.tables if _is_in(table.name, text))


def _texts(macro: Macro) -> Iterator[str]:
    for overload in macro.overloads:
        yield overload.definition
        yield from (parameter.default for parameter in overload.parameters if parameter.default is not None)


def _is_in(name: str, text: str) -> bool:
    quoted = name.replace('"', '""').casefold()
    # A letter beside it makes it part of another word; beside a sign, it may be whole.
    begin, end = (r"(?<!\w)" if quoted[:1].isalnum() else "", r"(?!\w)" if quoted[-1:].isalnum() else "")
    return re.search(begin + re.escape(quoted) + end, text.casefold()) is not None
