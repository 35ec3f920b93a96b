"""Which database and which backup a user means."""

from uuid import UUID

from duckback.errors import NoSuchBackup, UsageError
from duckback.repository.repository import Repository

LATEST = "latest"
"""What the newest backup is called."""


def find_database(repository: Repository, name: str | None) -> str:
    """The database of that name; without a name, the only one that there is.

    Raises:
        UsageError: no name is given, and there are several.
        NoSuchBackup: there is none.
    """
    names = repository.databases()
    shown = ", ".join(names) or "none"
    if name is None and len(names) > 1:
        raise UsageError("the repository holds several databases", hint=f"Give --name, one of: {shown}.")
    if not names or (name is not None and name not in names):
        what = f"no database {name!r}" if name is not None else "no backup"
        raise NoSuchBackup(f"there is {what} in {repository.store.url}", hint=f"Databases that are there: {shown}.")
    return names[0] if name is None else name


def find_backup(repository: Repository, database: str, backup: str | None) -> UUID | None:
    """The backup that is meant by an id, or the beginning of one; None, by "latest" or None: the newest.

    Which one is the newest, `duckback.repository.choosing` says: that is not to be asked of the ids alone.

    Raises:
        NoSuchBackup: none, or more than one, is meant.
    """
    return None if backup is None or backup == LATEST else repository.resolve(database, backup)
