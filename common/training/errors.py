"""What a training run says when it cannot go on."""


class TrainingError(Exception):
    """A training run cannot start or go on. The message says why, what is safe, and what to do."""
