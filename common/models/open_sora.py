"""Open-Sora 1.2 as it was published: its size counted, its weights' names translated, its shift of the timesteps.

Facts of the public configuration (hpcaitech/Open-Sora, Apache-2.0; `OpenSora-STDiT-v3`). The code is this course's own.
Names and shapes are tested at full size on the meta device. No clip was made with the real file yet.
"""

import math
import re
from collections.abc import Mapping

import torch
from einops import rearrange

from common.models.stdit import STDiT

PUBLISHED = {
    "in_channels": 4,
    "out_channels": 8,
    "dim": 1152,
    "depth": 28,
    "num_heads": 16,
    "ffn_dim": 4608,
    "text_dim": 4096,
    "num_text_tokens": 300,
    "has_fps": True,
    "freq_dim": 256,
}  # of a `STDiT`
BASE_AREA = 512 * 512  # pixels of the picture whose timesteps stay
NAMES = {
    r"x_embedder\.proj": "patches_in",
    r"t_embedder\.mlp\.": "time_in.",
    r"fps_embedder\.mlp\.": "fps_in.",
    r"t_block\.1": "to_signal.1",
    r"y_embedder\.y_proj\.fc1": "text_in.0",
    r"y_embedder\.y_proj\.fc2": "text_in.2",
    r"y_embedder\.y_embedding": "empty_text",
    r"final_layer\.scale_shift_table": "last_table",
    r"final_layer\.linear": "patches_out",
    r"\.scale_shift_table": ".table",
    r"\.attn\.qkv": ".attention.to_qkv",
    r"\.attn\.proj": ".attention.to_out",
    r"\.attn\.([qk])_norm": r".attention.norm_\1",
    r"\.cross_attn\.q_linear": ".cross_attention.to_q",
    r"\.cross_attn\.kv_linear": ".cross_attention.to_kv",
    r"\.cross_attn\.proj": ".cross_attention.to_out",
    r"\.mlp\.fc1": ".ffn.0",
    r"\.mlp\.fc2": ".ffn.2",
}  # theirs -> ours
COMPUTED = ("rope.freqs", "pos_embed.inv_freq")  # entries of the file that are computed here


def convert_keys(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Translate a state dictionary of the published STDiT3 to one of `STDiT`.

    Names change by `NAMES`, entries of `COMPUTED` go. Two weights change besides: the patch convolution
    `(D, C, 1, 2, 2)` becomes a matrix `(D, C · 4)`, and the rows of the last layer, which the published model orders
    place by place and then channel, become channel by channel and then place, as `unpatchify` reads them; they change
    sign too, since the published velocity is x0 - eps.

    Args:
        state: theirs; its tensors may be on the meta device.
    """
    converted = {}
    for name, tensor in state.items():
        if name in COMPUTED:
            continue
        ours = name
        for theirs, mine in NAMES.items():
            ours = re.sub(theirs, mine, ours)
        if ours == "patches_in.weight":
            tensor = tensor.flatten(1)
        if ours.startswith("patches_out."):
            tensor = -rearrange(tensor, "(p c) ... -> (c p) ...", p=4)
        converted[ours] = tensor
    return converted


def count_parameters(config: Mapping[str, int | bool]) -> int:
    """How many numbers a `STDiT` of a configuration learns, by arithmetic alone: no model is built.

    Args:
        config: as `PUBLISHED`, with all of its entries.
    """
    dim, freq, text, ffn = config["dim"], config["freq_dim"], config["text_dim"], config["ffn_dim"]
    linear = lambda inputs, outputs: (inputs + 1) * outputs  # noqa: E731
    attention = linear(dim, 3 * dim) + linear(dim, dim) + 2 * (dim // config["num_heads"])
    cross = 2 * linear(dim, dim) + linear(dim, 2 * dim)
    block = 6 * dim + attention + cross + linear(dim, ffn) + linear(ffn, dim)
    embedding = linear(freq, dim) + linear(dim, dim)
    ends = linear(4 * config["in_channels"], dim) + 2 * dim + linear(dim, 4 * config["out_channels"])
    ends += (1 + bool(config["has_fps"])) * embedding + linear(dim, 6 * dim)
    ends += linear(text, dim) + linear(dim, dim) + config["num_text_tokens"] * text
    return 2 * config["depth"] * block + ends


def timestep_transform(t: torch.Tensor, height: int, width: int, num_frames: int, scale: float = 1.0) -> torch.Tensor:
    """Shift noise levels by the clip's size: r t / (1 + (r - 1) t), which keeps 0 and 1.

    r = scale · √(height · width / 512²) · √L. L is 1 for a picture, and `num_frames // 17 · 5` for a clip: the frames
    of the latents, of which 17 frames make 5. The larger the clip, the more of the levels are high.

    Args:
        t: levels in [0, 1], any shape.
        height: of the clip in pixels.
        width: likewise.
        num_frames: of the clip: 1, or at least 17.
        scale: a factor of r.

    Raises:
        ValueError: there are 2 to 16 frames, for which L would be 0, or fewer than 1.
    """
    if num_frames != 1 and num_frames < 17:
        raise ValueError(f"a clip has 1 frame or at least 17, got {num_frames}")
    length = 1 if num_frames == 1 else num_frames // 17 * 5
    ratio = scale * math.sqrt(height * width / BASE_AREA) * math.sqrt(length)
    return ratio * t / (1 + (ratio - 1) * t)


def empty_model() -> STDiT:
    """The published model on the meta device: shapes and names, no memory."""
    with torch.device("meta"):
        return STDiT(**PUBLISHED)
