"""The append-only record of what happened to backups: events, the embedded ledger, and TigerBeetle."""
