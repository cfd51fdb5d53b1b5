"""Small trials of a world model of `rooms`, for a look: a scripted player, a spoilt past, doors, the next frame."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from common.data.arcade import Recording
from common.data.arcade.rooms_player import RoomsScript
from common.data.arcade.tiles import TILE
from common.evaluation.arcade_reader import read_rooms, read_state
from common.evaluation.arcade_rules import PARTS, RuleAgreement
from common.streaming.world import corrupt_context, denoise, sample_next
from common.tensor_ops import from_uint8
from common.zoo.arcade_rooms.measures import decibels, same_place

NEW_ROOM = 0.25  # of the pixels below the HUD change at once


def clip_of(frames: Sequence[np.ndarray]) -> torch.Tensor:
    """Frames as a game or a session has them, uint8 `(H, W, 3)`, as a clip `(3, T, H, W)` in [-1, 1]."""
    return from_uint8(torch.from_numpy(np.stack(frames)).permute(3, 0, 1, 2))


def begin(world, recording: Recording, number: int, first: int, *, seed: int = 0, num_steps: int = 3,
          context_noise: float = 0.2):  # fmt: skip
    """A session that begins with real frames of a recording.

    Args:
        world: a `WorldModel`.
        recording: of its game.
        number, first: the play, and its frame with which the past begins.
        seed, num_steps, context_noise: of the session.
    """
    batch = recording.windows([(number, first)], world.context)
    frames = batch.pixels[0].permute(1, 2, 3, 0).contiguous().numpy()
    return world.start(frames, batch.actions[0].tolist(), seed, num_steps, context_noise)


def script_plays(session, num_frames: int) -> list[np.ndarray]:
    """The scripted player at a session: it sees pixels, and presses keys. Without a player to be seen it presses none.

    Args:
        session: of a world model, with `frame` and `step`.
        num_frames: to be made.

    Returns:
        `num_frames + 1` frames, uint8 `(64, 64, 3)`.
    """
    script, frames, before = RoomsScript(), [session.frame], None
    for _ in range(num_frames):
        (now,) = read_rooms(clip_of(frames[-1:]))
        state = read_state(now, before)
        frames.append(session.step(0 if state is None else script(state)))
        before = now
    return frames


@torch.no_grad()
def told_and_untold(
    net, clip: torch.Tensor, actions: torch.Tensor, levels: Sequence[float], corrupt: Callable | None = None
) -> dict[str, list[float]]:
    """One-step PSNR of the next frame from a spoilt past, where the model is told the level, and where it is not.

    Args:
        net: a `WorldUNet`.
        clip: `(B, 3, K + 1, H, W)`; its last frame is the one to be drawn.
        actions: int64 `(B, K)`.
        levels: of the noise on the past.
        corrupt: called like `corrupt_context`; None for that itself.

    Returns:
        "told" and "not told": a PSNR in dB for each level.
    """
    corrupt = corrupt or corrupt_context
    past, due = clip[:, :, :-1], clip[:, :, -1]
    noise = torch.Generator().manual_seed(0)
    eps, start = torch.randn(past.shape, generator=noise), torch.randn(due.shape, generator=noise)
    sigma, found = torch.full((len(clip),), net.config.sigma_max), {"told": [], "not told": []}
    for level in levels:
        spoilt = corrupt(past, torch.full_like(sigma, level), eps)
        for name, values in found.items():
            said = torch.full_like(sigma, level if name == "told" else 0.0)
            made = denoise(net, sigma[0] * start, sigma, spoilt, actions, said).clamp(-1, 1)
            values.append(decibels(float((made - due).square().mean())))
    return found


def doors(recording: Recording, length: int, count: int) -> list[tuple[int, int]]:
    """Places of windows, as `Recording.windows` takes them, whose last frame is behind a door.

    Args:
        recording: of `rooms`.
        length: frames in a window.
        count: windows; fewer where there are not so many doors.
    """
    rooms = recording.frames[:, :, TILE:]
    changed = (rooms[:, 1:] != rooms[:, :-1]).mean(axis=(2, 3)) > NEW_ROOM  # (N, T - 1)
    places = np.argwhere(changed) - [0, length - 2]
    return [(int(number), int(first)) for number, first in places if first >= 0][:count]


@torch.no_grad()
def next_of(net, recording: Recording, places: Sequence[tuple[int, int]], sampler: Callable | None = None):
    """The next frame from real pasts, in one step, of any game that looks like `rooms`.

    Args:
        net: a `WorldUNet`.
        recording: plays.
        places: of windows of K + 1 frames.
        sampler: called like `sample_next`; None for that itself.

    Returns:
        PSNR in dB, and how often the one player is at the very pixel.
    """
    windows = recording.windows(list(places), net.config.context + 1)
    past, due = windows.clips()[:, :, :-1], windows.clips()[:, :, -1]
    noise = torch.Generator().manual_seed(0)
    made = (sampler or sample_next)(net, past, windows.actions, 1, generator=noise)
    pairs = zip(read_rooms(made.transpose(0, 1)), read_rooms(due.transpose(0, 1)))
    exact = [same_place(one, other) for one, other in pairs]
    return decibels(float((made - due).square().mean())), sum(exact) / len(exact)


def draw_verdicts(judged: Mapping[str, RuleAgreement]):
    """Step by step and part by part, which steps follow the rules: green is yes, red is no.

    Args:
        judged: of plays or dreams, by name.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        len(judged), 1, figsize=(7.4, 1.15 * len(judged)), sharex=True, squeeze=False, layout="constrained"
    )
    for axis, (name, agreement) in zip(axes[:, 0], judged.items()):
        rows = [getattr(agreement, part) for part in PARTS]
        axis.imshow(rows, cmap="RdYlGn", vmin=0, vmax=1, aspect="auto", extent=(1.5, len(rows[0]) + 1.5, 3.5, -0.5))
        axis.set(yticks=range(len(PARTS)), yticklabels=PARTS)
        axis.set_title(f"{name}: {agreement.rate():.0%} of the steps obey", fontsize=10)
    axes[-1, 0].set_xlabel("frame")
    plt.close(figure)
    return figure
