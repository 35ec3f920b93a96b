"""Which database and which backup a user means."""

from uuid import UUID

from duckback.errors import NoSuchBackup, UsageError
from duckback.repository.repository import Repository


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
    """The backup that is meant by an id, the beginning of one, or "latest"; None by None.

    Raises:
        NoSuchBackup: none, or more than one, is meant.
    """
    if backup is None:
        return None
    if backup == "latest":
        found = repository.backups(database)
        if not found:
            raise NoSuchBackup(f"every backup of {database!r} is being pruned", hint="Take a new one.")
        return found[-1].manifest.backup_id
    return repository.resolve(database, backup)
