"""Open-Sora 1.2 as it was published: its size counted, its weights' names translated, its shift of the timesteps.

    count_parameters(PUBLISHED)                        1,208,872,736
    model = load_published("models/OpenSora-STDiT-v3")  the real file, 1.2 billion numbers, into our `STDiT`

Where each fact is from, all in hpcaitech/Open-Sora (Apache-2.0), read at these commits. The code is this course's own.

- names, shapes, sizes, first weights, order of the last layer's rows: `opensora/models/stdit/stdit3.py` at 3552145f and
  `opensora/models/layers/blocks.py` at 06ffc8ec. The empty text is a buffer there, which no step trains.
- the shift, the direction of time and of the velocity: `opensora/schedulers/rf/rectified_flow.py` at a7b6aacc
- 17 frames at a time, the steps from version 1.1 to 1.2, normalised latents: `docs/report_03.md` at 19617f6b
- `rope.freqs`, an entry of the file that is not needed here: the package `rotary-embedding-torch`, a frozen weight

Names and shapes are tested at full size on the meta device. No clip has been made with the real file here.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from einops import rearrange
from safetensors import safe_open

from common.models.stdit import STDiT

HUB = "hpcai-tech/OpenSora-STDiT-v3"
PUBLISHED = MappingProxyType(
    {
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
        "base_grid": 32,
    }
)  # of a `STDiT`
BASE_AREA = 512 * 512  # pixels of the picture whose levels stay
NAMES = MappingProxyType(
    {
        "x_embedder.proj": "patches_in",
        "t_embedder.mlp.0": "time_in.0",
        "t_embedder.mlp.2": "time_in.2",
        "fps_embedder.mlp.0": "fps_in.0",
        "fps_embedder.mlp.2": "fps_in.2",
        "t_block.1": "to_signal.1",
        "y_embedder.y_proj.fc1": "text_in.0",
        "y_embedder.y_proj.fc2": "text_in.2",
        "y_embedder.y_embedding": "empty_text",
        "final_layer.scale_shift_table": "last_table",
        "final_layer.linear": "patches_out",
        # of a block
        "scale_shift_table": "table",
        "attn.qkv": "attention.to_qkv",
        "attn.proj": "attention.to_out",
        "attn.q_norm": "attention.norm_q",
        "attn.k_norm": "attention.norm_k",
        "cross_attn.q_linear": "cross_attention.to_q",
        "cross_attn.kv_linear": "cross_attention.to_kv",
        "cross_attn.proj": "cross_attention.to_out",
        "mlp.fc1": "ffn.0",
        "mlp.fc2": "ffn.2",
    }
)  # part of a name: theirs -> ours
COMPUTED = ("rope.freqs", "pos_embed.inv_freq")  # entries of the file that are computed here


def convert_keys(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Key conversion: translate a state dictionary of the published STDiT3 into one of `STDiT`.

    A name of theirs has up to three pieces: for blocks `spatial_blocks.I.` or `temporal_blocks.I.`, I any number; then
    a part, which is a key of `NAMES`; then `.weight`, `.bias` or nothing. The part is replaced, the rest stays.
    Entries with a name in `COMPUTED` are left out. The tensors stay as they are, but for three:

    - The weight of `patches_in`, a convolution `(D, C, 1, 2, 2)`, becomes a matrix `(D, C · 4)`: channel, row, column.
    - Weight `(4 · C_out, D)` and bias `(4 · C_out,)` of `patches_out`: their rows are ordered (row, column, channel),
      channel innermost. Ours are (channel, row, column). And the sign changes: the published model predicts x0 - eps, a
      `STDiT` eps - x0.

    Args:
        state: theirs, or a part of it, in any order. Tensors may be on the meta device. It is not changed.

    Returns:
        A dictionary, in the order of `state`.

    Raises:
        ValueError: a name's part is not in `NAMES`. The message holds the name.
    """
    converted = {}
    for name, tensor in state.items():
        if name in COMPUTED:
            continue
        pieces = re.fullmatch(r"((?:spatial|temporal)_blocks\.\d+\.)?(.*?)(\.weight|\.bias)?", name)
        block, part, end = pieces.groups("") if pieces else ("", "", "")
        if part not in NAMES:
            raise ValueError(f"{name} is no weight of the published STDiT3")
        ours = block + NAMES[part] + end
        if ours == "patches_in.weight":
            tensor = tensor.flatten(1)
        if NAMES[part] == "patches_out":
            tensor = -rearrange(tensor, "(h w c) ... -> (c h w) ...", h=2, w=2)
        converted[ours] = tensor
    return converted


def count_parameters(config: Mapping[str, int | float | bool]) -> int:
    """How many numbers a `STDiT` holds, from its configuration alone.

    A linear layer from m to n numbers, below m -> n, has m · n weights and n biases.

    - ends: patches_in, 4 in_channels -> dim; patches_out, dim -> 4 out_channels; a table of 2 dim
    - level: time_in, freq_dim -> dim -> dim, two layers; fps_in, the same again, where `has_fps`; to_signal,
      dim -> 6 dim
    - text: text_in, text_dim -> dim -> dim; the empty text, num_text_tokens · text_dim numbers
    - 2 depth blocks, each with a table of 6 dim; self-attention, dim -> 3 dim and dim -> dim, and the gains of its two
      norms, dim / num_heads numbers each; cross-attention, dim -> dim, dim -> 2 dim and dim -> dim; feed-forward,
      dim -> ffn_dim -> dim

    Args:
        config: has the names above, as `PUBLISHED` does. Entries that change no count may be there too.
    """
    dim, freq, text, ffn = config["dim"], config["freq_dim"], config["text_dim"], config["ffn_dim"]
    linear = lambda inputs, outputs: (inputs + 1) * outputs  # noqa: E731
    attention = linear(dim, 3 * dim) + linear(dim, dim) + 2 * (dim // config["num_heads"])
    cross = 2 * linear(dim, dim) + linear(dim, 2 * dim)
    block = 6 * dim + attention + cross + linear(dim, ffn) + linear(ffn, dim)
    embedding = linear(freq, dim) + linear(dim, dim)
    ends = linear(4 * config["in_channels"], dim) + 2 * dim + linear(dim, 4 * config["out_channels"])
    level = (1 + bool(config["has_fps"])) * embedding + linear(dim, 6 * dim)
    words = linear(text, dim) + linear(dim, dim) + config["num_text_tokens"] * text
    return 2 * config["depth"] * block + ends + level + words


def timestep_transform(t: torch.Tensor, height: int, width: int, num_frames: int, scale: float = 1.0) -> torch.Tensor:
    """Timestep shift: larger and longer clips get more noise. Level t becomes r t / (1 + (r - 1) t).

    r = scale · √(height · width / 512²) · √L (Stable Diffusion 3, arXiv:2403.03206, section 5.3.2; Open-Sora 1.2 added
    the length). 0 stays 0, and 1 stays 1. L is a number of latents in time:

    - 1 frame, a picture: L = 1
    - 2 to 16 frames: L = 1 + (num_frames - 1) / 4, rounded up. So many a causal VAE with 4x compression makes.
    - from 17 on: L = 5 · (num_frames // 17). Open-Sora's VAE codes 17 frames at a time, as 5 latents.

    The second case is ours. The published code has no such case: there L is 0 for 2 to 16 frames, and every level too.

    Args:
        t: levels from 0, the clip, to 1, pure noise; floating point, any shape.
        height: of the clip in pixels.
        width: likewise.
        num_frames: of the clip, at least 1.
        scale: a factor of r.

    Returns:
        The shifted levels, in t's shape and dtype.

    Raises:
        ValueError: `num_frames` is below 1.
    """
    if num_frames < 1:
        raise ValueError(f"a clip has at least 1 frame, got {num_frames}")
    length = num_frames // 17 * 5 if num_frames >= 17 else 1 + math.ceil((num_frames - 1) / 4)
    ratio = scale * math.sqrt(height * width / BASE_AREA) * math.sqrt(length)
    return ratio * t / (1 + (ratio - 1) * t)


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Every entry of the published file: its name and its shape."""
    size = {name: int(value) for name, value in PUBLISHED.items()}
    dim, ffn, text, freq = (size[name] for name in ("dim", "ffn_dim", "text_dim", "freq_dim"))
    linear = lambda name, inputs, outputs: {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}  # noqa: E731
    found: dict[str, tuple[int, ...]] = {
        "rope.freqs": (dim // size["num_heads"] // 2,),
        "x_embedder.proj.weight": (dim, size["in_channels"], 1, 2, 2),
        "x_embedder.proj.bias": (dim,),
        "y_embedder.y_embedding": (size["num_text_tokens"], text),
        "final_layer.scale_shift_table": (2, dim),
    }
    for name in ("t_embedder", "fps_embedder"):
        found |= linear(f"{name}.mlp.0", freq, dim) | linear(f"{name}.mlp.2", dim, dim)
    found |= linear("t_block.1", dim, 6 * dim) | linear("final_layer.linear", dim, 4 * size["out_channels"])
    found |= linear("y_embedder.y_proj.fc1", text, dim) | linear("y_embedder.y_proj.fc2", dim, dim)
    block: dict[str, tuple[int, ...]] = {"scale_shift_table": (6, dim)}
    block |= {f"attn.{name}_norm.weight": (dim // size["num_heads"],) for name in "qk"}
    block |= linear("attn.qkv", dim, 3 * dim) | linear("attn.proj", dim, dim)
    block |= linear("cross_attn.q_linear", dim, dim) | linear("cross_attn.kv_linear", dim, 2 * dim)
    block |= linear("cross_attn.proj", dim, dim) | linear("mlp.fc1", dim, ffn) | linear("mlp.fc2", ffn, dim)
    for kind in ("spatial", "temporal"):
        for i in range(size["depth"]):
            found |= {f"{kind}_blocks.{i}.{name}": shape for name, shape in block.items()}
    return found


def load_published(folder: str | Path, dtype: torch.dtype = torch.bfloat16) -> STDiT:
    """The published weights, from a folder of this machine, in our class and in evaluation mode.

    Args:
        folder: with the files of `HUB`, one or more `.safetensors`.
        dtype: of the model; 2.4 GB in bfloat16.

    Raises:
        FileNotFoundError: there are no weights. The message says where they are to be had.
        ValueError: a name is not one of STDiT3's, or weights are missing.
    """
    files = sorted(Path(folder).glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(
            f"no .safetensors in {folder}. The weights of Open-Sora 1.2 are {HUB} on the Hugging Face Hub: download "
            "that repository, and give its folder here"
        )
    state = {}
    for file in files:
        with safe_open(file, framework="pt") as opened:
            state |= {name: opened.get_tensor(name).to(dtype) for name in opened.keys()}  # noqa: SIM118
    model, converted = empty_model(), convert_keys(state)
    if missing := model.state_dict().keys() - converted.keys():
        raise ValueError(f"{folder} lacks {len(missing)} weights, such as {min(missing)}")
    model.load_state_dict(converted, assign=True)
    return model.eval().requires_grad_(False)


def empty_model() -> STDiT:
    """The published model on the meta device: shapes and names, no memory."""
    with torch.device("meta"):
        return STDiT(**PUBLISHED)
