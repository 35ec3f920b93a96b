"""Which keys a store takes: one rule for every driver, so that a repository may move between them."""

from duckback.errors import IntegrityError

TEMPORARY = ".tmp-"
"""What a name begins with while its bytes are not all there (local directory); no segment of a key does."""


def check_key(key: str) -> None:
    """Refuse a key that could leave the root or hide in it.

    Raises:
        IntegrityError: it is absolute, has an empty segment, `.` or `..`, a NUL, or a temporary name.
    """
    if "\0" in key or any(_is_bad(segment) for segment in key.split("/")):
        raise IntegrityError(
            f"key {key!r} is not one that a store may hold",
            hint="Whoever wrote this key meant to reach outside the repository, or its manifest is damaged.",
        )


def check_prefix(prefix: str) -> None:
    """The same for a prefix, whose last segment may be unfinished or empty."""
    whole, slash, _ = prefix.rpartition("/")
    if slash:
        check_key(whole)


def _is_bad(segment: str) -> bool:
    return segment in {"", ".", ".."} or segment.startswith(TEMPORARY)
