"""duckback restore: a database file from a backup."""

from pathlib import Path
from typing import Annotated

import typer

from duckback.cli.moments import parse_moment
from duckback.cli.options import Call, with_options
from duckback.cli.output import notice, print_document
from duckback.cli.progress import progress_bars
from duckback.cli.selection import Excluded, Schemas, Tables, selection
from duckback.errors import PARTIAL
from duckback.routes.exchange import RestoreExchange

_PROOF = "catalogue and fingerprints of every table equal the manifest's"
_PROOF_OF_SOME = (
    "the catalogue, and the fingerprints of the rows in every table's objects, equal the manifest's; the restored rows"
    " have the fingerprints of those for which the condition holds"
)


@with_options
def restore(
    call: Call,
    target: Annotated[Path, typer.Argument(help="The file to make; it must not exist.", show_default=False)],
    backup: Annotated[str | None, typer.Option("--backup", help='An id or its beginning; default: "latest".')] = None,
    at: Annotated[str | None, typer.Option("--at", help="The newest backup not after this time (RFC 3339).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Move an existing target aside first.")] = False,
    storage_version: Annotated[
        str | None, typer.Option("--storage-version", help="Of the new file (v1.5.0); default: the source's.")
    ] = None,
    table: Tables = None,
    schema: Schemas = None,
    exclude: Excluded = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where", help="Of each --table, only the rows for which this SQL condition holds.", show_default=False
        ),
    ] = None,
    trust_ddl: Annotated[
        bool, typer.Option("--trust-ddl", help="Create views and macros that read files or the network too.")
    ] = False,
    trust_repository: Annotated[
        bool, typer.Option("--trust-repository", help="Restore though the ledger or a proof contradicts it.")
    ] = False,
) -> int:
    """Restore a database: built beside the target, proven, and only then given its name."""
    with progress_bars() as report:
        done = call.duckback(report).restore(
            target,
            backup=backup,
            at=parse_moment("--at", at),
            force=force,
            storage_version=storage_version,
            selection=selection(table, schema, exclude),
            where=where,
            trust_ddl=trust_ddl,
            trust_repository=trust_repository,
        )
    for item in done.deferred:
        why = "reads files or the network" if item.is_external else f"could not be created: {item.reason}"
        notice(f"{item.kind} {item.label} {why}; its text is in {done.deferred_sql}")
    for text in done.notices:
        notice(text)
    manifest = done.manifest
    seconds = sum(done.seconds.values())
    but = ", but for what the notices say" if done.notices else ""
    if call.as_json:
        print_document(
            "restore",
            id=str(manifest.backup_id),
            name=done.database,
            target=str(done.target),
            rows=done.rows,
            tables=len(manifest.tables),
            seconds={name: round(taken, 3) for name, taken in done.seconds.items()},
            proof=f"{_PROOF if where is None else _PROOF_OF_SOME}{but}",
            notices=done.notices,
            deferred=[item.model_dump(mode="json") for item in done.deferred],
        )
        return _code(done)
    print(f"restored {done.rows:,} rows of {len(manifest.tables)} tables to {done.target} in {seconds:.1f} s")
    print(f"  backup {manifest.backup_id} of {manifest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC; every table proven{but}")
    if done.kept_as is not None:
        print(f"  what was there before is now {done.kept_as}")
    return _code(done)


def _code(done: RestoreExchange) -> int:
    return PARTIAL if done.is_partial else 0
