"""A document's own checksum: its last field, over all bytes before it, so that no flipped byte goes unnoticed.

It is no secret and no signature: it finds damage, and whoever forges a document can seal it anew.
"""

import hashlib
import re

from pydantic import BaseModel

_TAIL = re.compile(rb',"sha256":"(?P<sha256>[0-9a-f]{64})"\}')

TAIL_BYTES = 77
"""Length of `,"sha256":"…"}`: a sealed document's last bytes. All before them are what the checksum is of."""


def seal(document: bytes) -> bytes:
    """A JSON object with the field `sha256` at its end.

    Args:
        document: an object with at least one field, its brace the last byte.
    """
    body = document[:-1]
    return body + b',"sha256":"%s"}' % hashlib.sha256(body).hexdigest().encode()


def sealed(document: BaseModel) -> bytes:
    """A record's bytes: JSON, UTF-8, one line, sealed."""
    return seal(document.model_dump_json().encode())


def unseal(data: bytes) -> bytes | None:
    """The object without that field; None: it is not there, or is not the checksum of what stands before it."""
    body, tail = data[:-TAIL_BYTES], _TAIL.fullmatch(data[-TAIL_BYTES:])
    if tail is None or hashlib.sha256(body).hexdigest().encode() != tail["sha256"]:
        return None
    return body + b"}"
