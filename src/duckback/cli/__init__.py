"""The command line: one file a verb, over the Python API. Only here are words for people put together."""
