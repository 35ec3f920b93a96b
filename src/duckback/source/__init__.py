"""Our side that speaks to DuckDB; the only package that imports it."""
