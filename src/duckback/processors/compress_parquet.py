"""compress-parquet: checks that every column chunk is zstd. Parquet is compressed as it is written; nothing changes."""

from dataclasses import replace

from duckback.errors import IntegrityError
from duckback.routes.exchange import BackupExchange, required

_WANTED = {"ZSTD"}


class CompressParquet:
    """Reads the files' own footers, and records the ratio of the columns' raw size to the files' size."""

    name = "compress-parquet"

    def process(self, exchange: BackupExchange) -> BackupExchange:
        # Imports DuckDB, which the process of an incremental does without.
        from duckback.source.proof import compression_codecs  # noqa: PLC0415 -- as above

        export, folder = required(exchange.export), required(exchange.backup_path)
        files = [file for table in export.tables for file in table.files]
        codecs = compression_codecs([folder / file.name for file in files])
        for name, found in codecs.items():
            if found - _WANTED:
                raise IntegrityError(f"{name} was written with {', '.join(sorted(found - _WANTED))} instead of zstd")
        raw = sum(file.raw_bytes for file in files)
        stored = sum((folder / file.name).stat().st_size for file in files)
        return replace(exchange, compression_ratio=raw / stored if stored else None)
