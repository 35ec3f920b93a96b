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
        match layout.stage_of(listed.key):
            case backup_id, "tombstone":
                data = store.get(listed.key, limit=MAX_TOMBSTONE_BYTES)
                tombstones[backup_id] = parse(Tombstone, data, source=store.uri(listed.key))
            case backup_id, "done":
                data = store.get(listed.key, limit=MAX_TOMBSTONE_BYTES)
                done[backup_id] = parse(Done, data, source=store.uri(listed.key))
    proofs = (layout.backup_of_proof(listed.key) for listed in store.list(f"{folder}/proofs/"))
    return Remains(tombstones, done, frozenset(one for one in proofs if one is not None))
