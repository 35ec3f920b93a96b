"""The rehearsal: before anything is uploaded, the inventory's DDL is run on an empty in-memory database.

What cannot be created again, or comes back different, is found at backup time and not at the restore: a table is
refused by name; a view, macro, index or trigger is told of, and its text kept.
"""

import shlex

from duckback.errors import SourceError, Unsupported
from duckback.model.catalog import Catalog, Deferred
from duckback.model.catalog_changes import changes
from duckback.source.catalog import read_inventory
from duckback.source.create import create_empty, create_on_rows, set_comments
from duckback.source.engine import connect, create_in_memory, name_in_sql, shut_in
from duckback.source.expressions import parsed_by
from duckback.source.resources import Resources


def rehearse(catalog: Catalog, resources: Resources) -> list[Deferred]:
    """Make a catalogue's objects without their rows.

    Returns:
        Those that cannot be created again.

    Raises:
        Unsupported: a table would not come back as it is, or another object would come back as something else.
    """
    name = name_in_sql(catalog.name, catalog.schema_names)
    with connect(resources) as con:
        create_in_memory(con, name)
        shut_in(con, [])
        try:
            deferred = create_empty(con, catalog)
        except SourceError as error:
            raise Unsupported(f"a restore would fail: {error.message}", hint=error.hint) from error
        deferred += create_on_rows(con, catalog)
        set_comments(con, catalog, deferred)
        again = read_inventory(con, name).catalog
        for kind, label, change in changes(catalog, again, deferred, parsed=parsed_by(con)):
            raise Unsupported(
                f"{kind} {label} would not be restored as it is: {change}",
                hint=f"Leave it out with --exclude {shlex.quote(label)}; and please report its definition as a defect.",
            )
    return deferred
