"""What can go wrong in a way that a person can mend."""


class PlayError(ValueError):
    """The message says what happened and what to do next."""
