"""Speed and memory of Duckback as ratios to DuckDB's own EXPORT DATABASE and IMPORT DATABASE."""
