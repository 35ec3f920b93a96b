"""What a repository says of backups beside their manifests: tombstones, their ends, and proofs."""

from dataclasses import dataclass
from uuid import UUID

from duckback.model.tombstone import MAX_TOMBSTONE_BYTES, Done, Tombstone, parse
from duckback.repository import layout
from duckback.repository.repository import Repository


@dataclass(frozen=True)
class Remains:
    """Of one database: tombstones and their ends by backup, and the backups that were proven at some time."""

    tombstones: dict[UUID, Tombstone]
    done: dict[UUID, Done]
    proven: frozenset[UUID]


def read_remains(repository: Repository, folder: str) -> Remains:
    """What is there of a database, whose name is encoded already.

    Raises:
        IntegrityError: a tombstone is damaged; named.
        StoreError: the store cannot be read.
    """
    store = repository.store
    tombstones: dict[UUID, Tombstone] = {}
    done: dict[UUID, Done] = {}
    for listed in store.list(f"{folder}/pruned/"):
        found = layout.backup_of_tombstone(listed.key)
        if found is None:
            continue
        backup_id, is_end = found
        data, source = store.get(listed.key, limit=MAX_TOMBSTONE_BYTES), store.uri(listed.key)
        if is_end:
            done[backup_id] = parse(Done, data, source=source)
        else:
            tombstones[backup_id] = parse(Tombstone, data, source=source)
    proofs = (layout.backup_of_proof(listed.key) for listed in store.list(f"{folder}/proofs/"))
    return Remains(tombstones, done, frozenset(one for one in proofs if one is not None))
