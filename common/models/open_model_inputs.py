"""How the transformers of six open video models are called: example inputs for a grid of tokens, and tiny instances.

The classes are diffusers' own. What they want to be given differs more than what they compute: latents or tokens,
frames or channels first, places made inside or brought along.
"""

import importlib
from typing import Any

import torch

from common.models import peers

# Small configurations of the six classes: two blocks of each kind, tokens 24 or 32 numbers wide.
TINY: dict[str, dict[str, Any]] = {
    **peers.TINY,
    "MochiTransformer3DModel": {
        "num_attention_heads": 2, "attention_head_dim": 12, "num_layers": 2, "pooled_projection_dim": 16,
        "text_embed_dim": 32, "time_embed_dim": 16, "max_sequence_length": 8,
    },
    "LTXVideoTransformer3DModel": {
        "in_channels": 8, "out_channels": 8, "num_attention_heads": 2, "attention_head_dim": 12,
        "cross_attention_dim": 24, "num_layers": 2, "caption_channels": 32,
    },
    "HunyuanVideoTransformer3DModel": {
        "num_attention_heads": 2, "attention_head_dim": 12, "num_layers": 2, "num_single_layers": 2,
        "num_refiner_layers": 1, "text_embed_dim": 32, "pooled_projection_dim": 16, "rope_axes_dim": (4, 4, 4),
    },
    "FluxTransformer2DModel": {
        "in_channels": 16, "num_attention_heads": 2, "attention_head_dim": 12, "num_layers": 2, "num_single_layers": 2,
        "joint_attention_dim": 32, "pooled_projection_dim": 16, "axes_dims_rope": (4, 4, 4),
    },
}  # fmt: skip


def load_class(name: str) -> Any:
    """A model class of diffusers by its name; only the module that holds it is imported."""
    return getattr(importlib.import_module("diffusers"), name)


def tiny_instance(name: str, seed: int = 0) -> Any:
    """A small instance of a class, every weight random: gates that begin at zero would hide what a part does."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = load_class(name)(**TINY[name])
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval().requires_grad_(False)


def example_inputs(model: Any, grid: tuple[int, int, int], text_length: int, seed: int = 0) -> dict[str, Any]:
    """Arguments for one forward pass of one clip: random latents and text, the level 500, a mask that hides nothing.

    Args:
        model: an instance of one of the six classes; the inputs have its device.
        grid: tokens of each axis: frames, rows, columns.
        text_length: tokens of the text.
        seed: of the numbers.

    Raises:
        ValueError: of another class.
    """
    name, config = type(model).__name__, model.config
    device = next(model.parameters()).device
    dice = None if device.type == "meta" else torch.Generator(device).manual_seed(seed)
    draw = lambda *shape: torch.randn(shape, generator=dice, device=device)  # noqa: E731
    timestep = torch.full((1,), 500.0, device=device)
    mask = torch.ones(1, text_length, dtype=torch.bool, device=device)
    frames, rows, columns = grid
    if name not in TINY:
        raise ValueError(f"{name} is none of {', '.join(TINY)}")
    if name == "LTXVideoTransformer3DModel":  # one token per latent place
        return {
            "hidden_states": draw(1, frames * rows * columns, config.in_channels), "timestep": timestep,
            "encoder_hidden_states": draw(1, text_length, config.caption_channels), "encoder_attention_mask": mask,
            "num_frames": frames, "height": rows, "width": columns, "return_dict": False,
        }  # fmt: skip
    if name == "FluxTransformer2DModel":  # places come along: frame, row, column
        places = torch.cartesian_prod(*(torch.arange(n, dtype=torch.float32) for n in grid)).to(device)
        return {
            "hidden_states": draw(1, frames * rows * columns, config.in_channels), "timestep": timestep / 1000,
            "encoder_hidden_states": draw(1, text_length, config.joint_attention_dim),
            "pooled_projections": draw(1, config.pooled_projection_dim), "img_ids": places,
            "txt_ids": torch.zeros(text_length, 3, device=device), "return_dict": False,
        }  # fmt: skip
    text_dim = config["text_dim" if name.startswith("Wan") else "text_embed_dim"]
    latents = draw(1, config.in_channels, frames, 2 * rows, 2 * columns)
    inputs = {"hidden_states": latents, "timestep": timestep, "encoder_hidden_states": draw(1, text_length, text_dim)}
    if name.startswith("CogVideoX"):  # frames before channels; cosines and sines come along
        turns = draw(frames * rows * columns, config.attention_head_dim)
        inputs |= {"hidden_states": latents.transpose(1, 2), "image_rotary_emb": (turns.cos(), turns.sin())}
    elif name.startswith("Mochi"):
        inputs["encoder_attention_mask"] = mask
    elif name.startswith("Hunyuan"):
        pooled = draw(1, config.pooled_projection_dim)
        inputs |= {"encoder_attention_mask": mask, "pooled_projections": pooled, "guidance": 10 * timestep}
    return inputs | {"return_dict": False}
