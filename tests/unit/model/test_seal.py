"""A sealed document has no byte that could change unnoticed."""

import hashlib
import json

import pytest

from duckback.model.seal import TAIL_BYTES, seal, unseal

DOCUMENT = b'{"format":"1","seconds":{"upload":0.25}}'


def test_what_is_sealed_is_unsealed_and_is_still_one_document() -> None:
    sealed = seal(DOCUMENT)
    assert unseal(sealed) == DOCUMENT
    assert json.loads(sealed) == json.loads(DOCUMENT) | {"sha256": hashlib.sha256(DOCUMENT[:-1]).hexdigest()}
    assert hashlib.sha256(sealed[:-TAIL_BYTES]).hexdigest() == json.loads(sealed)["sha256"]


def test_every_flipped_bit_of_every_byte_is_noticed() -> None:
    sealed = seal(DOCUMENT)
    for at in range(len(sealed)):
        for bit in range(8):
            flipped = bytearray(sealed)
            flipped[at] ^= 1 << bit
            assert unseal(bytes(flipped)) is None


@pytest.mark.parametrize("cut", [1, 2, TAIL_BYTES - 1, TAIL_BYTES, TAIL_BYTES + 1])
def test_a_cut_or_grown_document_is_noticed(cut: int) -> None:
    sealed = seal(DOCUMENT)
    assert unseal(sealed[:-cut]) is None
    assert unseal(sealed[cut:]) is None
    assert unseal(sealed + b"\n" * cut) is None


def test_a_document_without_a_seal_is_none() -> None:
    assert unseal(b"") is unseal(b"{}") is unseal(DOCUMENT) is None
