"""The sample sheet of a world model: plays, and dreams with the same keys."""

import torch

from common.data.arcade import arcade_recording
from common.show import strips
from common.streaming.world import rollout

NUM_PLAYS = 2


def play_and_dream(model, game: str, num_frames: int):
    """Two test plays, and below each a dream with the same keys.

    Args:
        model: a `WorldUNet`, with `config.context`.
        game: "rooms" or "catch".
        num_frames: of the plays and dreams that are drawn.

    Returns:
        A picture, as `strips` gives it.
    """
    games, rows, context = arcade_recording(game, 1_000, "test"), {}, model.config.context
    for number in range(NUM_PLAYS):
        play = games.play(number)
        past, actions = play.clips()[:, :, :context], play.actions[:, : context - 1 + num_frames]
        noise = torch.Generator(model.device).manual_seed(number)
        dream = torch.stack([frame[0] for frame in rollout(model, past, actions, generator=noise)], dim=1)
        rows |= {f"play {number}": play.clips()[0, :, context : context + num_frames], f"dream {number}": dream}
    return strips(rows, num_frames=16)
