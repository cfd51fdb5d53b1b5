"""The background under the objects: what texture it is, and how the camera moves over it."""

from dataclasses import dataclass

import numpy as np

from common.data.sprites.attributes import FPS
from common.data.sprites.paths import frame_times, view

CONTRAST = 0.4  # least distance between the shades, in the world's own: less is a plain field
ONE_WAY = 0.5  # least coherence of the gradients in stripes
DOTTED = -0.15  # skewness less squareness: a checkerboard has 0 - 0.7, dots have 1.07 - 0
FEWEST = 200 / 64**2  # part of a frame that must be free of objects for its texture to be told
JUMP = 4.0  # times the usual change from frame to frame
SLOWEST, FASTEST = (0.07, 0.08), (0.4, 0.42)  # of a pan, heights a second; of a zoom, logarithm of its factor a second
UNSEEN = 0.02  # part of the gradients that is not to be relied on: along stripes no motion can be seen
CAMERA_WORDS = (("pan_left", "pan_right"), ("zoom_out", "zoom_in"))


@dataclass(frozen=True)
class Camera:
    """How the camera moves: its word, or None; x in the middle of the picture, heights, and zoom, `(T,)` each."""

    word: str | None
    middle: np.ndarray
    zoom: np.ndarray

    def to_world(self, x, y, aspect: float):
        """Places in the picture, in heights -> places in the world. `aspect` is the picture's width, in heights."""
        return (x - aspect / 2) / self.zoom + self.middle, (y - 0.5) / self.zoom + 0.5


def read_texture(light: np.ndarray, free: np.ndarray) -> str | None:
    """The background's word.

    Args:
        light: `(T, H, W)`: -0.5 dark, 0.5 light.
        free: bool `(T, H, W)`: where no object is near.
    """
    down, across = np.gradient(light, axis=(1, 2))
    found = [_statistics(*(values[mask] for values in (light, across, down))) for mask, light, across, down in
             zip(free, light, across, down) if mask.mean() >= FEWEST]  # fmt: skip
    if not found:
        return None
    contrast, coherence, dotted = np.median(found, axis=0)  # a lost frame has no vote
    if contrast < CONTRAST:
        return "field"
    if coherence > ONE_WAY:
        return "stripes"
    return "dots" if dotted > DOTTED else "checkerboard"


def _statistics(light: np.ndarray, across: np.ndarray, down: np.ndarray) -> tuple[float, float, float]:
    """Of a texture, from its pixels' lights and slopes, `(N,)`: contrast; coherence of the gradients; dottedness.

    The last is the skewness of the light (a checkerboard is half light, dots are a quarter) less the squareness of the
    edges: the mean of cos 4 angle, which is 1 where all of them are level or upright and 0 for round ones.
    """
    low, high = np.percentile(light, (8, 92))
    xx, yy, xy = across @ across, down @ down, across @ down
    coherence = np.hypot(xx - yy, 2 * xy) / max(xx + yy, 1e-9)
    light = light - light.mean()
    squares = light * light
    skewness = (squares @ light / light.size) / max(squares.mean(), 1e-9) ** 1.5
    steep = across * across + down * down  # |gradient|^2, and below |gradient|^2 cos 4 angle
    squareness = (steep - 8 * np.square(across * down) / np.maximum(steep, 1e-9)).sum() / max(steep.sum(), 1e-9)
    return float(high - low), float(coherence), float(skewness - squareness)


def read_camera(light: np.ndarray, free: np.ndarray, fps: float = FPS) -> Camera:
    """How the camera moves over a texture: the pan and the zoom that explain its change from frame to frame best.

    Light moves, and is not lost: light_t + u light_x + v light_y = 0, where a pan of a pixels per frame gives u = -a,
    and a zoom of s per frame gives (u, v) = s (x, y) from the picture's middle. Least squares over all frames.
    """
    num_frames, height, width = light.shape
    times = frame_times(num_frames) * FPS / fps
    if num_frames < 2:
        return Camera(None, *view("still", 0.0, times))
    both = free[1:] & free[:-1]
    jumps = np.abs(np.diff(light, axis=0)).mean(axis=(1, 2))
    both[jumps > JUMP * np.median(jumps) + 0.02] = False  # from and to a frame that is lost
    change, mean = np.diff(light, axis=0), (light[1:] + light[:-1]) / 2
    down, across = np.gradient(mean, axis=(1, 2))
    x, y = np.arange(width) - (width - 1) / 2, np.arange(height)[:, None] - (height - 1) / 2
    across, down, change = across[both], down[both], change[both]
    x, y = (np.broadcast_to(places, both.shape)[both] for places in (x, y))
    slopes = np.stack([across, -across * x - down * y])  # (2, N): of the change, by pan and by zoom
    strength = [across @ across + down @ down, (x * across) @ (x * across) + (y * down) @ (y * down)]
    normal = (slopes @ slopes.T).astype(np.float64) + np.diag(strength) * UNSEEN + 1e-6 * np.eye(2)
    pan, zoom = np.linalg.solve(normal, (slopes @ change).astype(np.float64)) * fps
    return named_camera(float(pan) / height, float(zoom), times)


def named_camera(pan: float, zoom: float, times: np.ndarray) -> Camera:
    """The camera of a pan in heights a second, rightward, and a zoom in logarithms of a factor a second, inward."""
    speeds = np.array([pan, zoom])
    which = int(np.argmax(np.abs(speeds) / SLOWEST))
    speed = abs(speeds[which])
    if not np.isfinite(speed) or speed > FASTEST[which]:
        return Camera(None, *view("still", 0.0, times))
    word = CAMERA_WORDS[which][int(speeds[which] > 0)] if speed > SLOWEST[which] else "still"
    return Camera(word, *view(word, speed, times))
