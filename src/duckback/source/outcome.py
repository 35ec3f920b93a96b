"""What a query answers, as data."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Form = Literal["rows", "csv", "parquet"]
"""Of the file with the rows: a JSON array a line, each value as `duckback.source.exact` has it; CSV; or Parquet."""


class Outcome(BaseModel):
    """An answered query.

    Attributes:
        columns: names and types, in their order.
        changed: the columns that a Parquet file holds in another way than as they are, and how.
    """

    model_config = ConfigDict(frozen=True)

    columns: tuple[tuple[str, str], ...]
    changed: dict[str, str] = {}
