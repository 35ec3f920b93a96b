"""The processors, one file a name. What a route does is read there; how a step is done is read here."""
