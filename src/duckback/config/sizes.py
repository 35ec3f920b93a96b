"""Numbers of bytes as people write them in options."""

import re

_UNITS = {"": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE = re.compile(rf"(\d+)\s*({'|'.join(_UNITS)})")


def parse_size(value: object) -> object:
    """`20MB`, `512KiB`, `1000` as a number of bytes; what is no text is returned as it is.

    Raises:
        ValueError: a text of another form.
    """
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(value.strip())
    if found is None:
        raise ValueError(f"{value!r} is not a number of bytes such as 20MB, 512KiB or 1000000")
    return int(found[1]) * _UNITS[found[2]]
