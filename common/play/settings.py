"""What a player can set while playing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Of the sampler.

    Attributes:
        num_steps: denoising steps per frame.
        context_noise: on the frames that the model sees, from 0 to 1.
    """

    num_steps: int = 3
    context_noise: float = 0.2
