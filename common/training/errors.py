"""What a training says when it cannot go on."""


class TrainingError(Exception):
    """A training cannot start or go on; the message says why, what is safe, and what to do."""
