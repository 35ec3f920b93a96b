"""duckback verify: is what was committed still there, and does it come back?"""

from typing import Annotated, Literal
from uuid import UUID

import typer

from duckback.cli.moments import parse_length
from duckback.cli.options import Call, with_options
from duckback.cli.output import notice, print_document
from duckback.cli.progress import progress_bars
from duckback.errors import PARTIAL, IntegrityError
from duckback.model.damage import Damage
from duckback.routes.exchange import VerificationExchange, Verified


@with_options
def verify(
    call: Call,
    backup: Annotated[
        str | None, typer.Argument(help='An id, its beginning, or "latest"; default: every backup.')
    ] = None,
    level: Annotated[
        Literal["objects", "data", "restore"],
        typer.Option(
            "--level",
            help="objects: each is there with its size and checksum, as the store answers; data: every byte is read, "
            "every row unpacked and compared; restore: a database is made of it, compared and removed.",
        ),
    ] = "objects",
    max_duration: Annotated[
        str | None, typer.Option("--max-duration", help="Stop after this time (30m), and say what was not reached.")
    ] = None,
) -> int:
    """Verify backups: from what the store holds, each against its manifest, and the manifests against one another."""
    with progress_bars() as report:
        done = call.duckback(report).verify(
            backup, level=level, max_duration=parse_length("--max-duration", max_duration)
        )
    for text in done.notices:
        notice(text)
    if call.as_json:
        _print_json(done)
    else:
        _print(done)
    if not all(one.is_good for one in done.results):
        return IntegrityError.exit_code
    return PARTIAL if done.not_reached else 0


def _print_json(done: VerificationExchange) -> None:
    print_document(
        "verify",
        level=done.level,
        backups=[_record(one) for one in done.results],
        not_reached=[str(one) for one in done.not_reached],
        damage=[
            {
                "object": one.object,
                "table": one.table,
                "backups": [str(backup_id) for backup_id in one.backups],
                "newest_good": _text(one.newest_good),
            }
            for one in done.damage
        ],
    )


def _record(one: Verified) -> dict[str, object]:
    return {
        "id": str(one.backup_id),
        "result": one.word,
        "problems": [{"object": p.object, "table": p.table, "what": p.what} for p in one.problems],
    }


def _text(backup_id: UUID | None) -> str | None:
    return str(backup_id) if backup_id is not None else None


def _print(done: VerificationExchange) -> None:
    for one in done.results:
        print(f"{one.backup_id}\t{'good' if one.is_good else 'BAD'}")
        for problem in one.problems:
            where = " ".join(filter(None, (problem.table, problem.object)))
            print(f"  {where}: {problem.what}" if where else f"  {problem.what}")
    for backup_id in done.not_reached:
        print(f"{backup_id}\tnot reached")
    for damaged in done.damage:
        print(_line(damaged))


def _line(damaged: Damage) -> str:
    what = f"{damaged.table}, {damaged.object or 'its rows'}"
    concerned = ", ".join(map(str, damaged.backups))
    left = f"the newest backup in which it is good is {damaged.newest_good}"
    none = "no backup is left in which it is good"
    return f"damaged: {what}: backups {concerned}; {left if damaged.newest_good else none}"
