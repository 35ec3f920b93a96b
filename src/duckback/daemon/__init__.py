"""The daemon: what is due is done, at the right time, never twice at once, and loudly where it fails.

agenda    which database is to be attended to now, and with what; pure but for what it has been told
loop      waits, asks the agenda, starts, listens, stops in order
runner    looks at repositories, and does each run in a child process of its own (worker)
metrics   what has happened, for Prometheus; server: /healthz, /readyz and /metrics
"""
