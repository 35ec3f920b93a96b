"""duckback verify: does the store hold what was committed?"""

from typing import Annotated, Literal

import typer

from duckback.cli.options import Call, with_options
from duckback.cli.output import notice, print_document
from duckback.cli.progress import progress_bars
from duckback.errors import IntegrityError
from duckback.routes.exchange import Verified


@with_options
def verify(
    call: Call,
    backup: Annotated[
        str | None, typer.Argument(help='An id, its beginning, or "latest"; default: every backup.')
    ] = None,
    level: Annotated[
        Literal["objects"], typer.Option("--level", help="objects: each is there with its size and SHA-256.")
    ] = "objects",
) -> int:
    """Verify backups: manifests parse strictly, and every object is there with its size and SHA-256."""
    with progress_bars() as report:
        done = call.duckback(report).verify(backup)
    results = done.results
    for text in done.notices:
        notice(text)
    if call.as_json:
        print_document("verify", level=level, backups=[_record(one) for one in results])
    else:
        for one in results:
            print(f"{one.backup_id}\t{'good' if one.is_good else 'BAD'}")
            for problem in one.problems:
                where = " ".join(filter(None, (problem.table, problem.object)))
                print(f"  {where}: {problem.what}" if where else f"  {problem.what}")
    return 0 if all(one.is_good for one in results) else IntegrityError.exit_code


def _record(one: Verified) -> dict[str, object]:
    return {
        "id": str(one.backup_id),
        "result": "good" if one.is_good else "bad",
        "problems": [{"object": p.object, "table": p.table, "what": p.what} for p in one.problems],
    }
