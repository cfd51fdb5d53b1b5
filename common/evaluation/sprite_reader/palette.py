"""Which of the world's colours a picture has, and how much of each pixel an object covers.

A pixel at an edge is a mixture. Seen from the background's colour, mixtures with one object lie on one straight line
through colour space, so what names them is their direction, and how far they are along it is the part covered. The two
shades of a texture spread along a line of their own: the distances here are blind along it.
"""

from functools import lru_cache

import numpy as np

from common.data.sprites.attributes import COLORS, shades

NAMES = tuple(COLORS)
RGB = np.array(list(COLORS.values()), dtype=np.float32)  # (8, 3)
LEVELS = 32  # of each channel, in the table of names
FAR = 75.0  # grey levels from every colour: a colour without a name
OFF = 65.0  # grey levels from what a clip should be made of: not of this world
NOISE = 12.0  # grey levels by which a pixel may be off without meaning anything
MOSTLY = 0.25  # least part of the median frame that the background must have
EXPLAINED = 0.75  # least part of it that must be the background or an object
SEEN, FEWEST = 0.3, 0.008  # least cover of a pixel that counts; least part of the picture that makes an object
WELL_SEEN = 75  # per cent of the frames show less of a colour than those that decide whether it is there


def smooth(pictures: np.ndarray, times: int = 1) -> np.ndarray:
    """Each pixel mixed with its neighbours, weights 1 2 1 across and down, for `(..., H, W)`; the border repeats."""
    for _ in range(times):
        for axis in (-2, -1):
            pictures = np.moveaxis(pictures, axis, -1)
            padded = np.concatenate([pictures[..., :1], pictures, pictures[..., -1:]], axis=-1)
            pictures = np.moveaxis((padded[..., :-2] + padded[..., 2:]) * 0.25 + pictures * 0.5, -1, axis)
    return np.ascontiguousarray(pictures)


@lru_cache(maxsize=1)
def name_table() -> np.ndarray:
    """For each of 32^3 colours the number of the nearest name, textures' shades included; 8 is no name. uint8."""
    grid = (np.arange(LEVELS, dtype=np.float32) + 0.5) * (256 / LEVELS)
    colors = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    known = np.array([(*shades(name), COLORS[name]) for name in NAMES], dtype=np.float32).reshape(1, -1, 3)
    distances = np.sqrt(np.square(colors - known).sum(axis=-1))  # (32768, 24)
    return np.where(distances.min(axis=1) < FAR, distances.argmin(axis=1) // 3, len(NAMES)).astype(np.uint8)


def color_numbers(pixels: np.ndarray) -> np.ndarray:
    """The nearest colour's number of each pixel `(3, ...)` from 0 to 255; 8 where none is near."""
    red, green, blue = np.clip(pixels * (LEVELS / 256), 0, LEVELS - 1).astype(np.int32)
    return name_table()[(red * LEVELS + green) * LEVELS + blue]


def background_number(pixels: np.ndarray) -> int | None:
    """The colour that most of most frames has, of `(3, T, H, W)`; None if there is none."""
    labels = color_numbers(pixels[..., ::2, ::2])
    shares = np.stack([np.bincount(frame.ravel(), minlength=len(NAMES) + 1) / frame.size for frame in labels])
    shares = np.median(shares, axis=0)[: len(NAMES)]
    return int(shares.argmax()) if shares.max() > MOSTLY else None


class Unmixing:
    """Colours as seen from a background, which may be a texture.

    Args:
        number: of the background's colour.
        pixels: `(3, T, H, W)`, 0 to 255.

    Attributes:
        middle: `(3,)`, half way between the background's shades, as this clip has them.
        spread: `(3,)`, from the darker to the lighter shade.
        metric: `(3, 3)`: squared lengths that count little along `spread`.
    """

    def __init__(self, number: int, pixels: np.ndarray):
        few = pixels[..., ::2, ::2]
        own = few[:, color_numbers(few) == number]
        self.number = number
        self.middle = np.percentile(own, (8, 92), axis=1).mean(axis=0).astype(np.float32)
        dark, light = (np.array(shade, dtype=np.float32) for shade in shades(NAMES[number]))
        self.spread = light - dark
        variance = np.square(self.spread / 2).sum()
        direction = self.spread / np.sqrt(np.square(self.spread).sum())
        self.metric = np.eye(3, dtype=np.float32) - np.outer(direction, direction) * variance / (NOISE**2 + variance)

    @property
    def off(self) -> float:
        """Grey levels from the middle to the nearest mixture of the shades that the background's colour has."""
        dark, light = (np.array(shade) for shade in shades(NAMES[self.number]))
        part = np.clip((self.middle - dark) @ self.spread / np.square(self.spread).sum(), 0, 1)
        return float(np.linalg.norm(self.middle - dark - part * (light - dark)))

    def explained(self, pixels: np.ndarray, numbers: list[int]) -> float:
        """The part of the median frame of `(3, T, H, W)` that mixtures of the background and one object can be."""
        away = (pixels - self.middle[:, None, None, None]).reshape(3, -1)
        left = (away * (self.metric @ away)).sum(axis=0)  # squared distance from the background
        if numbers:
            left = left - np.square(np.maximum(self._directions(numbers)[0] @ away, 0).max(axis=0))
        return float(np.median((left < OFF**2).reshape(pixels.shape[1], -1).mean(axis=1)))

    def cover(self, pixels: np.ndarray, numbers: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """What things of these K colours cover, for pixels `(3, ...)`.

        Returns:
            How much of each pixel each of them covers, if it is that one and the background, `(K, ...)`; not limited to
            [0, 1]. Which of them it is: the one in whose direction the pixel lies farther out, `(...)`.
        """
        flat = pixels.reshape(3, -1)
        along, lengths = self._directions(numbers)
        far = along @ flat - (along @ self.middle)[:, None]  # (K, N)
        owner, cover = far.argmax(axis=0), far / lengths[:, None]
        return cover.reshape(len(numbers), *pixels.shape[1:]), owner.reshape(pixels.shape[1:])

    def _directions(self, numbers: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """What to multiply colours with to find how far out they are towards each of K colours, `(K, 3)`; and how far
        those are themselves, `(K,)`."""
        rays = RGB[numbers] - self.middle
        lengths = np.sqrt(np.einsum("ki,ij,kj->k", rays, self.metric, rays))
        return (rays @ self.metric / lengths[:, None]).astype(np.float32), lengths.astype(np.float32)

    def light(self, pixels: np.ndarray) -> np.ndarray:
        """Where each pixel `(3, ...)` lies between the shades: about -0.5 the darker one, 0.5 the lighter, `(...)`."""
        weights = self.spread / np.square(self.spread).sum()
        return np.tensordot(weights, pixels, axes=1) - weights @ self.middle

    def object_numbers(self, pixels: np.ndarray) -> list[int]:
        """The colours of the objects, at most two, the one that covers most first."""
        shares = self.object_shares(pixels)
        seen = [number for number in shares if shares[number] > FEWEST]
        return sorted(seen, key=lambda number: shares[number], reverse=True)[:2]

    def object_shares(self, pixels: np.ndarray) -> dict[int, float]:
        """How much of the picture each colour but the background's covers in the frames that show it best.

        Args:
            pixels: `(3, T, H, W)`.
        """
        others = [number for number in range(len(NAMES)) if number != self.number]
        along, lengths = self._directions(others)
        num_frames, area = pixels.shape[1], pixels[0, 0].size
        far = along @ pixels.reshape(3, -1) - (along @ self.middle)[:, None]  # (7, N): how far towards each colour
        best = far.argmax(axis=0)
        cover = np.minimum(far.max(axis=0) / lengths[best], 1.0)
        seen = np.flatnonzero(cover > SEEN)
        bins = seen // area * len(others) + best[seen]
        votes = np.bincount(bins, weights=cover[seen] ** 2, minlength=num_frames * len(others))
        votes = votes.reshape(num_frames, len(others)) / area
        return dict(zip(others, np.percentile(votes, WELL_SEEN, axis=0)))
