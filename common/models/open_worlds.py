"""Three open world models as tiny instances, and which frames move when one input is changed.

The classes are diffusers' own, two blocks deep and with random weights. What such an instance makes is noise, but what
depends on what is decided by the architecture. SkyReels-V2 (arXiv:2504.13074) has a noise level for every frame,
SANA-WM is steered by a camera's path, Cosmos 3 has text, pictures, actions and sound in one sequence.
"""

import importlib
from typing import Any

import numpy as np
import torch

TINY: dict[str, dict[str, Any]] = {
    "SkyReelsV2Transformer3DModel": {
        "num_attention_heads": 2, "attention_head_dim": 24, "in_channels": 4, "out_channels": 4, "text_dim": 16,
        "freq_dim": 32, "ffn_dim": 48, "num_layers": 2,
    },
    "SanaWMTransformer3DModel": {
        "in_channels": 4, "num_layers": 2, "hidden_size": 32, "num_attention_heads": 2, "softmax_every_n": 2,
        "linear_head_dim": 16, "caption_channels": 12, "chunk_plucker_post_attn_blocks": 2, "image_size": 64,
    },
    "Cosmos3OmniTransformer": {
        "head_dim": 8, "hidden_size": 16, "intermediate_size": 32, "latent_channel": 4, "num_attention_heads": 2,
        "num_hidden_layers": 2, "num_key_value_heads": 1, "patch_latent_dim": 16, "vocab_size": 32,
        "rope_axes_dim": (2, 1, 1), "action_gen": True, "action_dim": 3, "num_embodiment_domains": 2,
        "sound_gen": True, "sound_dim": 5,
    },
}  # fmt: skip
MODULES = {
    "SkyReelsV2Transformer3DModel": "transformer_skyreels_v2",
    "SanaWMTransformer3DModel": "transformer_sana_wm",
    "Cosmos3OmniTransformer": "transformer_cosmos3",
}
MOVED = 1e-6  # changes below this are rounding
COSMOS_PARTS = ("text", "video", "action", "sound")
SPATIAL_RATIO, TEMPORAL_RATIO, SIZE = 32, 8, 64  # of SANA-WM's autoencoder; height and width of the frames, pixels


def tiny_world(name: str, seed: int = 0, **changes) -> Any:
    """A small instance of one of the three classes, every weight random.

    Args:
        name: of the class, a key of `TINY`.
        seed: of the weights.
        changes: to the configuration.

    Raises:
        ValueError: there is no such class here.
    """
    if name not in TINY:
        raise ValueError(f"{name} is none of {', '.join(TINY)}")
    cls = getattr(importlib.import_module(f"diffusers.models.transformers.{MODULES[name]}"), name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = cls(**{**TINY[name], **changes})
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval().requires_grad_(False)


@torch.no_grad()
def skyreels_reach(num_frames: int = 6, frames_per_block: int = 1) -> torch.Tensor:
    """Which frames of SkyReels-V2's answer move when one frame of its input does.

    Args:
        num_frames: T, a multiple of `frames_per_block`.
        frames_per_block: of its block-causal attention. 1 means that there is no mask.

    Returns:
        Bool `(T, T)`: row k is for a change of frame k.
    """
    model = tiny_world("SkyReelsV2Transformer3DModel", num_frame_per_block=frames_per_block)
    dice = torch.Generator().manual_seed(1)
    latents, text = torch.randn(1, 4, num_frames, 4, 4, generator=dice), torch.randn(1, 5, 16, generator=dice)
    levels = torch.linspace(100, 900, num_frames)[None]  # a level of its own for every frame

    def answer(latents: torch.Tensor) -> torch.Tensor:
        return model(latents, levels, text, enable_diffusion_forcing=True, return_dict=False)[0]

    changed = latents.repeat(num_frames, 1, 1, 1, 1)
    for frame in range(num_frames):
        changed[frame, :, frame] += 1
    return _moved(answer(latents), torch.cat([answer(one[None]) for one in changed]), axis=2)


@torch.no_grad()
def sana_change(keys: str, other_keys: str) -> torch.Tensor:
    """How much each latent frame of SANA-WM's answer changes when other keys are pressed.

    Args:
        keys: as its pipeline takes them: `"w-24,dl-8"` is 24 frames forward, then 8 to the right while turning right.
        other_keys: for as many frames, a multiple of 8.

    Returns:
        The largest change in each latent frame, `(1 + frames / 8,)`.
    """
    model, dice = tiny_world("SanaWMTransformer3DModel"), torch.Generator().manual_seed(1)
    cameras = [_camera(text) for text in (keys, other_keys)]
    num_frames, grid = len(cameras[0]["raymap"]), SIZE // SPATIAL_RATIO
    latents = torch.randn(1, 4, num_frames, grid, grid, generator=dice)
    text = torch.randn(1, 1, 6, 12, generator=dice)
    levels = torch.full((1, 1, num_frames), 500.0)
    first, second = (
        model(
            latents, levels, text, torch.ones(1, 6), camera_conditions=camera["raymap"][None],
            chunk_plucker=camera["chunk_plucker"][None], return_dict=False,
        )[0]
        for camera in cameras
    )  # fmt: skip
    return (second - first).abs().amax(dim=(0, 1, 3, 4))


def camera_path(keys: str) -> np.ndarray:
    """The camera's way that SANA-WM makes of keys: camera-to-world matrices `(frames + 1, 4, 4)`, OpenCV's axes."""
    from diffusers.pipelines.sana_wm.cam_utils import action_string_to_c2w

    return action_string_to_c2w(keys)


def _camera(keys: str) -> dict[str, torch.Tensor]:
    from diffusers.pipelines.sana_wm.cam_utils import prepare_camera

    poses = camera_path(keys)
    lens = np.tile(np.array([SIZE, SIZE, SIZE / 2, SIZE / 2], dtype=np.float32), (len(poses), 1))
    stride = (TEMPORAL_RATIO, SPATIAL_RATIO, SPATIAL_RATIO)
    return prepare_camera(poses, lens, target_size=(SIZE, SIZE), vae_stride=stride)


@torch.no_grad()
def cosmos_reach(num_frames: int = 4) -> torch.Tensor:
    """What moves in Cosmos 3 when one kind of input is changed.

    Args:
        num_frames: latent frames; there is one action less.

    Returns:
        Bool `(4, 3)`: rows are changes of text, video, action and sound, columns the answers for video, action and
        sound. The text is not generated in this call.
    """
    model, dice = tiny_world("Cosmos3OmniTransformer"), torch.Generator().manual_seed(1)
    inputs = {
        "text": torch.tensor([1, 2, 3]),
        "video": torch.randn(1, 4, num_frames, 4, 4, generator=dice),
        "action": torch.randn(num_frames - 1, 3, generator=dice),
        "sound": torch.randn(5, num_frames, generator=dice),
    }
    before = _cosmos(model, **inputs)
    rows = []
    for part in COSMOS_PARTS:
        after = _cosmos(model, **{**inputs, part: inputs[part] + 1})
        rows.append([bool((a - b).abs().max() > MOVED) for a, b in zip(after, before)])
    return torch.tensor(rows)


def _cosmos(model, text, video, action, sound) -> list[torch.Tensor]:
    """The answers for video, action and sound: all tokens are packed into one sequence, text first."""
    num_text, num_frames, num_actions = len(text), video.shape[2], len(action)
    rows, columns = video.shape[3] // 2, video.shape[4] // 2
    shapes = {"vision": (num_frames, rows, columns), "action": (num_actions, 1, 1), "sound": (sound.shape[1], 1, 1)}
    tokens = {"vision": video, "action": action, "sound": sound}
    starts = {"vision": 0, "action": 1, "sound": 0}  # action t leads to frame t + 1
    places, packed, end = [torch.arange(num_text).expand(3, -1)], {}, num_text
    for part, (frames, height, width) in shapes.items():
        grid = torch.cartesian_prod(torch.arange(frames) + starts[part], torch.arange(height), torch.arange(width)).T
        places.append(num_text + grid)
        here = torch.arange(end, end := end + grid.shape[1])
        packed |= {
            f"{part}_tokens": [tokens[part]], f"{part}_token_shapes": [shapes[part]],
            f"{part}_sequence_indexes": here, f"{part}_mse_loss_indexes": here,
            f"{part}_timesteps": torch.full((len(here),), 500.0),
            f"{part}_noisy_frame_indexes": [torch.arange(frames)],
        }  # fmt: skip
    answers = model(
        input_ids=text, text_indexes=torch.arange(num_text), position_ids=torch.cat(places, dim=1), und_len=num_text,
        sequence_length=end, action_domain_ids=[torch.tensor([0])], return_dict=False, **packed,
    )  # fmt: skip
    vision, heard, acted = (one[0] for one in answers)
    return [vision, acted, heard]


def _moved(before: torch.Tensor, after: torch.Tensor, axis: int) -> torch.Tensor:
    """Which slices along an axis differ, for each row of `after`."""
    return (after - before).abs().movedim(axis, 1).flatten(2).amax(dim=2) > MOVED
