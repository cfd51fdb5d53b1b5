"""Where everything is at a time: the paths of objects in the world, and how the camera sees the world."""

import numpy as np

from common.data.sprites.attributes import FPS, SpriteObject, SpriteScene

DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def frame_times(num_frames: int) -> np.ndarray:
    """Seconds of each frame, `(T,)`."""
    return np.arange(num_frames) / FPS


def world_path(motion: str, times, x, y, speed, reach, phase):
    """An object's middle in the world, in heights, and how much it has grown since the first frame.

    Args:
        motion: one of `MOTIONS`.
        times: `(T,)`, seconds.
        x, y, speed, reach, phase: as in `SpriteObject`; numbers, or arrays `(..., 1)` of many candidates.

    Returns:
        x, y and the growth (a factor), each `(..., T)`.
    """
    growth = 1 + 0 * times
    if motion in DIRECTIONS:
        right, down = DIRECTIONS[motion]
        return x + right * speed * times, y + down * speed * times, growth
    if motion == "bounce":
        part = (phase + speed * times) % 1  # of a hop: a parabola, as things thrown up fall
        return x + 0 * part, y - reach * 4 * part * (1 - part), growth
    if motion == "orbit":
        turn = 2 * np.pi * (phase + speed * times)
        return x + reach * np.cos(turn), y + reach * np.sin(turn), growth
    if motion == "grow":
        growth = 1 + speed * times
    return x + 0 * growth, y + 0 * growth, growth


def view(camera: str, camera_speed: float, times):
    """What the camera sees: the x of the world in the middle of the picture, and the zoom, each `(T,)`.

    The y in the middle is 0.5 always. A pan to the left moves the camera to the left, so that all that stands still
    moves to the right in the picture.
    """
    middle, zoom = 0.5 + 0 * times, 1 + 0 * times
    if camera in ("pan_left", "pan_right"):
        middle = middle + (1 if camera == "pan_right" else -1) * camera_speed * times
    if camera in ("zoom_in", "zoom_out"):
        zoom = np.exp((1 if camera == "zoom_in" else -1) * camera_speed * times)
    return middle, zoom


def to_picture(x, y, middle, zoom):
    """World coordinates -> coordinates in the picture, both in heights."""
    return 0.5 + zoom * (x - middle), 0.5 + zoom * (y - 0.5)


def picture_path(scene: SpriteScene, item: SpriteObject, times):
    """An object's middle in the picture and its radius there, each `(T,)`, in heights."""
    middle, zoom = view(scene.camera, scene.camera_speed, times)
    x, y, growth = world_path(item.motion, times, item.x, item.y, item.speed, item.reach, item.phase)
    return *to_picture(x, y, middle, zoom), item.radius * growth * zoom
