"""How a step of a capture says that another try may succeed."""


class Disturbed(Exception):
    """The writer came between, or is in the middle of something; never leaves this package.

    Args:
        reason: what came between, as the end of the refusal.

    Attributes:
        is_at_rest: nobody has the database open for writing and nothing has moved for a while, so that another try
            would find the same.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_at_rest = False
