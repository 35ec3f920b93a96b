"""Images: consistent private copies of database files that other processes have open and write to.

A reader of the file sees the bytes that DuckDB has written, in the order in which it writes them. Blocks that the
newest header refers to are not written again before a newer header is, and the WAL only grows until then. So a copy
that was made between two equal readings of the header, with a WAL that did not change its identity meanwhile, is
what DuckDB would find after a crash at that moment: the state after the last commit in the WAL.
"""
