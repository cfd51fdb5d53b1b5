"""Films made up for the tests of cut detection: shots of drifting blobs, and descriptors that need no picture."""

import numpy as np


def scene(seed: int, num_frames: int, drift: float = 0.3, height: int = 36, width: int = 64) -> np.ndarray:
    """A shot: a few soft blobs of colour that drift slowly. Another seed is another scene."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    picture = np.ones((num_frames, height, width, 3), np.float32) * random.uniform(20, 235, 3)
    for _ in range(6):
        across, down = random.uniform(0, width), random.uniform(0, height)
        spread, colour = random.uniform(5, 14), random.uniform(-140, 140, 3)
        moved = across + drift * np.arange(num_frames).reshape(-1, 1, 1)
        blob = np.exp(-((x - moved) ** 2 + (y - down) ** 2) / spread**2)  # (T, H, W)
        picture += blob[..., None] * colour
    return picture.clip(0, 255).astype(np.uint8)


def restless(seed, num_shots=7):
    """Descriptors of a film whose shots move more or less."""
    random = np.random.default_rng(seed)
    parts = [random.normal(0, 3, 5) + random.normal(0, random.choice([0.02, 0.3, 1.0]), (n, 5)).cumsum(axis=0)
             for n in random.integers(1, 14, num_shots)]  # fmt: skip
    return np.concatenate(parts)
