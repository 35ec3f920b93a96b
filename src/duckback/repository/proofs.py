"""Proofs in a repository: written once a run and backup, and told apart by their keys alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from duckback.errors import AlreadyExists
from duckback.model.proof import Proof, Standing, Verdict, encode_proof, standing
from duckback.repository import layout
from duckback.repository.layout import ProofName
from duckback.repository.repository import Repository


def write_proof(repository: Repository, database: str, proof: Proof) -> None:
    """Add a proof; a second time it does nothing.

    Raises:
        AccessDenied: these credentials may not write to the repository.
        StoreError: the store did not take it.
    """
    key, data = layout.proof_key(database, proof), encode_proof(proof)
    try:
        repository.store.create(key, data)
    except AlreadyExists:
        if repository.store.get(key, limit=len(data)) != data:
            raise


def proofs(repository: Repository, database: str) -> dict[UUID, list[ProofName]]:
    """What the keys of a database's proofs say, by backup, oldest first; one listing, and nothing is read.

    Raises:
        StoreError: the store cannot be listed.
    """
    found: dict[UUID, list[ProofName]] = defaultdict(list)
    for listed in repository.store.list(layout.proof_prefix(database)):
        name = layout.proof_of(listed.key)
        if name is not None:
            found[name.backup_id].append(name)
    return {backup_id: sorted(names, key=lambda name: name.verdict.at) for backup_id, names in found.items()}


def standings(
    found: Mapping[UUID, Sequence[ProofName]], ledgers: Mapping[UUID, Sequence[Verdict]]
) -> dict[UUID, Standing]:
    """What is to be thought of each backup that was ever verified, by its proofs and by what a ledger knows."""
    verdicts = {one: [name.verdict for name in names] for one, names in found.items()}
    return {
        one: judged
        for one in {*verdicts, *ledgers}
        if (judged := standing([*verdicts.get(one, ()), *ledgers.get(one, ())])) is not None
    }
