"""What the examination of a restored database found, as data."""

from pydantic import BaseModel, ConfigDict


class Examined(BaseModel):
    """A database that is as its manifest says.

    Attributes:
        rows: that it holds, all tables together.
        notices: what the user should hear.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    notices: tuple[str, ...]
