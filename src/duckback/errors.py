"""Everything that can go wrong, as one tree with one exit code a class.

    DuckbackError                1   anything not named below
    ├── UsageError               2   the call itself is wrong
    ├── NoRepository            10   nothing of ours at that address
    ├── Locked                  11   somebody else is at work there
    │   └── Withdrawn           11   … and deletes what this backup refers to
    ├── NoSuchBackup            12   no such database, backup or parent
    ├── IntegrityError          20   corrupt, missing, foreign or tampered
    │   └── DamagedObject       20   … an object of a backup
    ├── SourceError             30   the database cannot be read or written
    │   ├── SourceBusy          30   another process holds the file, or gives no quiet moment
    │   ├── SourceDamaged       30   DuckDB cannot make sense of its bytes
    │   ├── Unsupported         30   it holds something that we would change
    │   └── TookTooLong         30   its process was ended for the time that it took
    ├── StoreError              40   the store cannot be reached or refuses
    │   ├── AccessDenied        40   … these credentials
    │   ├── NotFound            40   … because the object is not there
    │   ├── AlreadyExists       40   … a second create of one key
    │   ├── OutcomeUnknown      40   … to say whether a commit took place
    │   └── StoreUnavailable    40   … for now; worth another try
    │       └── StoreUnreachable 40  … and has not said so itself
    ├── LedgerError             50   the ledger cannot be written or contradicts
    │   ├── LedgerUnavailable   50   … does not answer in time; worth another try
    │   └── TransferRefused     50   … refuses a transfer for good
    │       └── IdBurned        50   … … because its id failed once before
    └── Interrupted            130   SIGINT or SIGTERM

0 is success and 3 a partial one. Messages begin in lower case and end without a full stop; a hint is a
sentence that says what to do.
"""

from typing import ClassVar

PARTIAL = 3
"""Exit code of what succeeded in part, and said what failed."""


class DuckbackError(Exception):
    """The root: what happened, to what, and (`hint`) what to do about it."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DuckbackError):
    """The call is wrong: an unknown option, a bad value, an ambiguous name."""

    exit_code = 2


class NoRepository(DuckbackError):
    """There is no repository at the given address."""

    exit_code = 10


class Locked(DuckbackError):
    """Another process is doing the same work."""

    exit_code = 11


class Withdrawn(Locked):
    """A backup was taken back at its commit, because what it refers to is being pruned; another try will do."""

    retryable = True


class NoSuchBackup(DuckbackError):
    """No backup, database or parent of that name."""

    exit_code = 12


class IntegrityError(DuckbackError):
    """Stored bytes or rows are not what was recorded: corrupt, missing, foreign or tampered with."""

    exit_code = 20


class DamagedObject(IntegrityError):
    """An object is missing, or holds other bytes; `key` is its key in the repository, `problem` what is wrong."""

    def __init__(self, message: str, *, hint: str = "", key: str = "", problem: str = "") -> None:
        super().__init__(message, hint=hint)
        self.key = key
        self.problem = problem or message


class SourceError(DuckbackError):
    """The DuckDB database cannot be read, or the restored one cannot be written."""

    exit_code = 30


class SourceBusy(SourceError):
    """Another process holds the database file, or writes to it too often for a consistent image."""


class SourceDamaged(SourceError):
    """DuckDB cannot make sense of the file's bytes, or died of them."""


class Unsupported(SourceError):
    """The database holds something that a backup would change or lose; named, never dropped silently."""


class TookTooLong(SourceError):
    """The process that reads or makes a database was ended, because its time was over."""


class StoreError(DuckbackError):
    """The store failed or refused."""

    exit_code = 40


class AccessDenied(StoreError):
    """The store refused these credentials."""


class NotFound(StoreError):
    """The store has no object (or bucket) of that name."""


class AlreadyExists(StoreError):
    """A conditional create found the key taken."""


class OutcomeUnknown(StoreError):
    """The store stopped answering at the commit: the backup is either whole and visible, or not there at all."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, or asks to try later."""

    retryable = True


class StoreUnreachable(StoreUnavailable):
    """Nothing answers at the store's address, or the connection broke."""


class LedgerError(DuckbackError):
    """The ledger cannot be written, or what it holds contradicts itself."""

    exit_code = 50


class LedgerUnavailable(LedgerError):
    """The ledger's server does not answer in time, or not this client; what waits for it is kept."""

    retryable = True


class TransferRefused(LedgerError):
    """The ledger's server refuses a transfer, and will refuse it again."""


class IdBurned(TransferRefused):
    """The ledger's server refuses a transfer for its id, which can never be used again."""


class Interrupted(DuckbackError):
    """SIGINT or SIGTERM arrived; nothing half-done is visible."""

    exit_code = 130


def error_classes() -> dict[str, type[DuckbackError]]:
    """Every class of the tree by its name, the root included."""

    def below(cls: type[DuckbackError]) -> list[type[DuckbackError]]:
        return [cls, *(found for sub in cls.__subclasses__() for found in below(sub))]

    return {cls.__name__: cls for cls in below(DuckbackError)}
