"""Camera error: direction and speed of a camera's moves, read from a clip of the diorama, against what was asked for.

The background is one plane at a known depth, so how it moves from frame to frame is a homography that the camera's
speeds alone decide. The speeds are fitted to all pairs of neighbouring frames at once, by direct image registration:
Gauss–Newton on the difference in brightness (Lucas and Kanade 1981; both pictures' gradients as in Malis 2004).

One plane cannot tell all moves apart. A dolly and a zoom scale it alike, and an orbit is a truck and a pan in one. So
the moves to look for are named, and what else moves the picture is read as one of them.

Its own errors, measured on clips of truck or zoom (96 of split `test`): on true clips all directions are right, and the
median error is 0.4 %, the 90th percentile 0.9 %, the largest 1.1 %. After a round trip through `sprites-vae`, frame by
frame (33.1 dB), these are 0.4, 0.9 and 1.2 %. As video (31.8 dB) they are 0.8, 2.5 and 6.5 %. Other moves are in the
table of `common/data/diorama/README.md`. About 60 ms of one core per clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from common.data.diorama import MOVES, camera_path, plane_homography
from common.data.diorama.scenes import FPS
from common.evaluation.sprite_reader.camera import read_texture
from common.evaluation.sprite_reader.palette import EXPLAINED, OFF, Unmixing, background_number, smooth
from common.evaluation.sprite_reader.tracks import core_of, spread_out

ALIKE = (("dolly", "zoom"), ("truck", "pan", "orbit"))  # not to be told apart on one plane
NUM_STEPS = 10  # of Gauss and Newton
ENOUGH = 1e-5  # heights per second, below which a step is the last
NUDGE = 1e-3  # heights per second, for derivatives by the speeds
DAMPING = 1e-4  # part of the mean diagonal
FASTEST = 1.5  # heights per second: faster is no reading
STILL = 0.012  # heights per second, below which a camera stands still
TOWARDS = 0.87  # least cosine between two motions of the same direction: 30 degrees


@dataclass(frozen=True)
class CameraError:
    """Read against asked, for B clips.

    Attributes:
        found: speeds as read, `(B, 6)`, in the order and the units of `CameraMove`; NaN where none could be read.
        right: bool `(B,)`: the direction is within 30 degrees of what was asked for, each move measured by how much it
            moves the picture; or a still camera was asked for, and it is.
        error: `(B,)`: length of the difference between the motions read and asked for, over that of the latter. 1 for a
            clip that stands still. Infinite where nothing could be read, NaN where a still camera was asked for.
    """

    found: torch.Tensor
    right: torch.Tensor
    error: torch.Tensor

    @property
    def right_share(self) -> float:
        """The part of the clips whose direction is right."""
        return float(self.right.float().mean())

    @property
    def median_error(self) -> float:
        """The median of the errors of the clips that were asked to move."""
        moving = self.error[~self.error.isnan()]
        return float(moving.median()) if len(moving) else float("nan")


def camera_error(
    clips: torch.Tensor, asked: torch.Tensor, moves: Sequence[str] = ("truck", "zoom"), fps: float = FPS
) -> CameraError:
    """Whether the camera of each clip moves in the direction and at the speed that was asked for.

    Args:
        clips: `(B, 3, T, H, W)` in [-1, 1], of the diorama's world.
        asked: speeds, `(B, 6)`, in the order and the units of `CameraMove`.
        moves: to look for, those asked for among them; see `read_camera_speeds`.
        fps: frames per second.

    Raises:
        ValueError: the shapes do not fit, a move was asked for that is not looked for, or the moves cannot be told
            apart.
    """
    others = [move for move, column in zip(MOVES, asked.T) if move not in moves and column.any()]
    if others:
        raise ValueError(f"asked for {', '.join(others)}, looked for {', '.join(moves)} alone")
    return compare_speeds(read_camera_speeds(clips, moves, fps), asked)


def compare_speeds(found: torch.Tensor, asked: torch.Tensor) -> CameraError:
    """Speeds as read against those asked for.

    Args:
        found: `(B, 6)`, as `read_camera_speeds` gives them.
        asked: `(B, 6)`, in the order and the units of `CameraMove`.

    Raises:
        ValueError: the shapes differ, or are other ones.
    """
    if found.shape != asked.shape or found.shape[1:] != (len(MOVES),):
        raise ValueError(f"speeds are (B, {len(MOVES)}): found {tuple(found.shape)}, asked for {tuple(asked.shape)}")
    found, asked = found.to("cpu", torch.float32), asked.to("cpu", torch.float32)
    weights = picture_motion(MOVES).float()
    motion, wanted = found * weights, asked * weights  # (B, 6), heights per second
    length, still = wanted.norm(dim=1), ~asked.any(dim=1)
    cosine = (motion * wanted).sum(dim=1) / (motion.norm(dim=1) * length).clamp(min=1e-9)
    right = torch.where(still, motion.norm(dim=1) < STILL, (cosine > TOWARDS) & (motion.norm(dim=1) >= STILL))
    error = ((motion - wanted).norm(dim=1) / length).nan_to_num(nan=torch.inf)
    return CameraError(found, right, torch.where(still, torch.nan, error))


def read_camera_speeds(clips: torch.Tensor, moves: Sequence[str] = ("truck", "zoom"), fps: float = FPS) -> torch.Tensor:
    """The camera's speeds, as the background shows them.

    Args:
        clips: `(B, 3, T, H, W)` in [-1, 1], of the diorama's world, T at least 2.
        moves: to look for. Not both `dolly` and `zoom`, nor all of `truck`, `pan` and `orbit`: on one plane they cannot
            be told apart. The fewer, the more exact.
        fps: frames per second.

    Returns:
        `(B, 6)` in the order and the units of `CameraMove`, 0 for moves that were not looked for. NaN where the
        background cannot be made out.

    Raises:
        ValueError: the shape is another one, or the moves are none or cannot be told apart.
    """
    if clips.ndim != 5 or clips.shape[1] != 3 or clips.shape[2] < 2:
        raise ValueError(f"clips are (B, 3, T, H, W) of two frames or more, got {tuple(clips.shape)}")
    if not moves or not set(moves) <= set(MOVES):
        raise ValueError(f"moves are some of {', '.join(MOVES)}; got {moves}")
    for alike in ALIKE:
        if set(alike) <= set(moves):
            raise ValueError(f"{', '.join(alike)} cannot be told apart on one plane: leave one of them out")
    found = torch.full((len(clips), len(MOVES)), torch.nan)
    for row, clip in zip(found, clips.detach().to("cpu", torch.float32)):
        background = _background(clip)
        if background is not None:
            row[:] = _fit(*background, [MOVES.index(move) for move in moves], fps)
    return found


def picture_motion(moves: Sequence[str] = MOVES) -> torch.Tensor:
    """How fast each move at speed 1 moves the background in the picture: root mean square over the picture.

    Returns:
        Heights per second, float64 `(M,)`.
    """
    speeds = torch.eye(len(MOVES), dtype=torch.float64)[[MOVES.index(move) for move in moves]]
    points, grid = _steps(speeds, torch.tensor([0.0, 1e-3]), 32, 32), _grid(32, 32)
    moved = (points - grid[:2])[:, 0] / 1e-3 / 32  # (M, 2, N)
    return moved.square().sum(dim=1).mean(dim=1).sqrt()


def _background(clip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The background's light and where no object is near, `(T, H, W)` each; None if there is no textured background."""
    pixels = smooth(np.clip((np.nan_to_num(clip.numpy()) + 1) * 127.5, 0, 255))  # (3, T, H, W)
    number = background_number(pixels)
    if number is None:
        return None
    unmixing = Unmixing(number, pixels)
    colors = unmixing.object_numbers(pixels)
    if unmixing.off > OFF or unmixing.explained(pixels, colors) < EXPLAINED:
        return None
    free = np.ones(pixels.shape[1:], dtype=bool)
    if colors:
        cover, owner = unmixing.cover(pixels, colors)
        cores = [core_of(part, owner == k) for k, part in enumerate(cover)]
        free = ~spread_out(np.any(cores, axis=0), 3)
    light = smooth(unmixing.light(pixels))
    if read_texture(light, free) in (None, "field"):
        return None
    return torch.from_numpy(light), torch.from_numpy(free)


def _fit(light: torch.Tensor, free: torch.Tensor, moves: list[int], fps: float) -> torch.Tensor:
    """The speeds `(6,)` that explain best how each frame's background becomes the next one's."""
    num_frames, height, width = light.shape
    times = torch.arange(num_frames) / fps
    units = torch.zeros(len(moves), len(MOVES), dtype=torch.float64)
    units[range(len(moves)), moves] = 1 / picture_motion([MOVES[move] for move in moves])  # heights per second
    down, across = torch.gradient(light, dim=(1, 2))
    pictures = torch.stack([light, across, down, free.float()], dim=1)  # (T, 4, H, W)
    now, then = pictures[:-1].flatten(2), pictures[1:]
    found = torch.zeros(len(moves), dtype=torch.float64)
    for _ in range(NUM_STEPS):
        tried = torch.cat([found[None], found + NUDGE * torch.eye(len(moves), dtype=torch.float64)])  # (1 + M, M)
        points = _steps(tried @ units, times, height, width)  # (1 + M, T - 1, 2, N)
        places, turns = points[0], (points[1:] - points[0]) / NUDGE  # (T - 1, 2, N), (M, T - 1, 2, N)
        seen = _sample(then, places)  # (T - 1, 4, N)
        off = seen[:, 0] - now[:, 0]
        slopes = (torch.einsum("mtcn,tcn->mtn", turns.float(), (seen[:, 1:3] + now[:, 1:3]) / 2)).flatten(1)
        size = places.new_tensor([width, height])[:, None]
        known = ((places >= 0.5) & (places <= size - 0.5)).all(dim=1) & (seen[:, 3] > 0.99) & (now[:, 3] > 0.99)
        if known.float().mean() < 0.05:
            return torch.full((len(MOVES),), torch.nan)
        usual = 2 * off[known].abs().median() + 1e-3
        weights = (known / (off.abs() / usual).clamp(min=1)).flatten()  # Huber's
        normal = ((slopes * weights) @ slopes.T).double()
        normal += DAMPING * normal.diagonal().mean() * torch.eye(len(moves), dtype=torch.float64)
        step = torch.linalg.solve(normal, ((slopes * weights) @ off.flatten()).double())
        found = found - step
        if not found.norm() < FASTEST:
            return torch.full((len(MOVES),), torch.nan)
        if step.norm() < ENOUGH:
            break
    return (found @ units).float()


def _steps(speeds: torch.Tensor, times: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Where each pixel's piece of background is in the next frame: `(M, T - 1, 2, H W)`, for M rows of speeds."""
    path = camera_path(speeds, times, height, width)
    planes = plane_homography(path.intrinsics, path.camera_to_world, 1.0)  # (M, T, 3, 3)
    points = planes[:, 1:].inverse() @ planes[:, :-1] @ _grid(height, width)
    return points[..., :2, :] / points[..., 2:, :]


def _grid(height: int, width: int) -> torch.Tensor:
    """Column, row and 1 of each pixel's middle, float64 `(3, H W)`."""
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack([columns, rows, torch.ones_like(rows)]).flatten(1).double()


def _sample(pictures: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Pictures `(T, C, H, W)` at places `(T, 2, N)` in pixels, bilinear: `(T, C, N)`."""
    height, width = pictures.shape[-2:]
    around = 2 * places / places.new_tensor([width, height])[:, None] - 1  # the picture reaches from -1 to 1
    spots = around.float().permute(0, 2, 1)[:, None]  # (T, 1, N, 2)
    return F.grid_sample(pictures, spots, padding_mode="border", align_corners=False)[:, :, 0]
