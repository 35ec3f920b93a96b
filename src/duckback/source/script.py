"""The statements with which a plain DuckDB shell opens a backup, without Duckback."""

from collections.abc import Iterator, Mapping

from duckback.model.catalog import Deferred
from duckback.model.manifest import Manifest
from duckback.source.create import refuse_unless_one_create
from duckback.source.engine import connect, create_in_memory, name_in_sql, shut_in_with, translated
from duckback.source.files import rows_that_count
from duckback.source.native import relation_of_native, statement_to_attach
from duckback.source.opened import create_catalog, native_name
from duckback.source.resources import Resources
from duckback.source.sql import identifier, literal
from duckback.source.views import generated_in_order, over, placeholder


def script_of(manifest: Manifest, places: Mapping[str, str], resources: Resources) -> str:
    """The text of the script. The order of its statements is found by making the catalogue; no object is read.

    Args:
        manifest: of the backup; not trusted.
        places: each object's key → its address: a path, or s3://bucket/key.
        resources: limits for DuckDB.

    Raises:
        SourceError: a schema, type, sequence or table cannot be made.
        IntegrityError: the catalogue holds what is not one CREATE statement.
    """
    catalog = manifest.catalog
    name = name_in_sql(catalog.name, catalog.schema_names)
    made: list[str] = []
    views: dict[str, str] = {}
    attached: list[str] = []
    rows = {(one.schema_name, one.name): one for one in manifest.tables}
    with connect(resources) as con, translated("the catalogue of the backup"):
        create_in_memory(con, name)
        shut_in_with(con, [])
        deferred = create_catalog(con, catalog, made.append)
        for table in catalog.tables:
            backup = rows[table.schema_name, table.name]
            if backup.native is None:
                relation = rows_that_count(backup, places, table.stored_columns)
            else:
                beside = native_name(catalog, table)
                attached.append(statement_to_attach(places[backup.native.key], beside))
                relation = relation_of_native(beside)
            view = over(table, relation, generated_in_order(con, table))
            refuse_unless_one_create(con, view.sql, "view")
            views[placeholder(table).sql] = view.sql
    opening = [f"ATTACH ':memory:' AS {identifier(name)}", f"USE {identifier(name)}"]
    statements = [*opening, *attached, *(views.get(statement, statement) for statement in made)]
    return "".join(f"{line}\n" for line in (*_head(manifest, places), *map(_ended, statements), *_left_out(deferred)))


def _head(manifest: Manifest, places: Mapping[str, str]) -> Iterator[str]:
    moment = f"{manifest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"-- {_one_line(manifest.database)} as it was at {moment}: backup {manifest.backup_id}."
    yield "-- Views over its objects, as they lie. Nothing checks here that they are the ones that were backed up."
    yield f"-- For DuckDB {manifest.engine.duckdb_version} or newer."
    if any(place.startswith("s3://") for place in places.values()):
        yield "INSTALL httpfs;"
        yield "LOAD httpfs;"
        yield "-- Credentials, if not of the usual AWS environment; for another S3 store also its endpoint:"
        yield "-- CREATE SECRET (TYPE s3, PROVIDER credential_chain);"
        yield "-- CREATE SECRET (TYPE s3, KEY_ID '…', SECRET '…', ENDPOINT 'host:port', URL_STYLE 'path');"
    yield f"SET lambda_syntax = {literal('ENABLE_SINGLE_ARROW')};"


def _left_out(deferred: list[Deferred]) -> Iterator[str]:
    for item in deferred:
        yield f"-- Not made, {item.kind} {_one_line(item.label)}: {_one_line(item.reason)}"


def _ended(statement: str) -> str:
    return f"{statement.rstrip().rstrip(';')};"


def _one_line(text: str) -> str:
    # A line break in a name would end the comment, and what follows would be SQL.
    return " ".join(text.split())
