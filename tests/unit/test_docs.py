"""Documents that come from the code say what the code says."""

import duckdb
import pytest

from tools.fidelity import PATH, fidelity


@pytest.mark.skipif(duckdb.__version__.startswith("1."), reason="DuckDB 1 does not know every type of the table")
def test_the_fidelity_document_is_the_one_that_the_code_gives() -> None:
    assert PATH.read_text(encoding="utf-8") == fidelity(), "run `make docs`"
