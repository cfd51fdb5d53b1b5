"""Open video models as they were published: their transformers' configurations, their autoencoders' ratios, in numbers.

    for row in model_table():
        print(row.name, f"{row.num_parameters / 1e9:.1f} B", row.num_tokens)

Nothing is downloaded. Each entry names the class of diffusers that the weights load into, with the values in which its
published configuration differs from that class's defaults. Parameters and operations are counted on the meta device,
where tensors have shapes and no numbers. Collected in November 2026 from the repositories that `source` names.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.fx.experimental import _config as meta_config
from torch.utils.flop_counter import FlopCounterMode

from common.models.open_model_inputs import example_inputs, load_class

# aten operations that attention is made of; whatever else multiplies matrices is a linear layer or a convolution.
ATTENTION = ("bmm", "scaled_dot_product", "baddbmm")


@dataclass(frozen=True)
class OpenModel:
    """A model with open weights.

    Attributes:
        name: as its makers call it.
        released: year and month of the weights.
        source: where the configuration was read: repository, file.
        class_name: of diffusers.
        config: what differs from the defaults of that class.
        fps: frames per second of its clips.
        ratios: pixels to latents: frames, rows and columns.
        patch: latents to tokens, likewise.
        text_length: tokens of a prompt, padding included.
        text: how the words come in.
        depths: names of the configuration's depths, such as `num_layers`.
    """

    name: str
    released: str
    source: str
    class_name: str
    config: dict[str, Any]
    fps: int
    ratios: tuple[int, int, int]
    text_length: int
    text: str
    patch: tuple[int, int, int] = (1, 2, 2)
    depths: tuple[str, ...] = ("num_layers",)

    def frames(self, seconds: float) -> int:
        """The number of frames k · ratio + 1 that is nearest to so many seconds."""
        ratio = self.ratios[0]
        return round(seconds * self.fps / ratio) * ratio + 1

    def grid(self, num_frames: int, height: int, width: int) -> tuple[int, int, int]:
        """Tokens of each axis. Rows and columns that do not fill a token are cut off."""
        sizes = (1 + (num_frames - 1) // self.ratios[0], height // self.ratios[1], width // self.ratios[2])
        return tuple(size // patch for size, patch in zip(sizes, self.patch))  # pyrefly: ignore [bad-return]


@dataclass(frozen=True)
class ModelRow:
    """What `model_table` says of a model.

    Attributes:
        model: whose row it is.
        num_parameters: of the transformer alone, without text encoder and autoencoder.
        dim, num_heads: of the video's tokens.
        num_layers: of each kind of block.
        num_tokens: of the clip.
        linear_flops, attention_flops: of one forward pass, a multiplication and an addition being two.
    """

    model: OpenModel
    num_parameters: int
    dim: int
    num_heads: int
    num_layers: tuple[int, ...]
    num_tokens: int
    linear_flops: float = field(compare=False)
    attention_flops: float = field(compare=False)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def flops(self) -> float:
        return self.linear_flops + self.attention_flops


OPEN_MODELS = (
    OpenModel(
        "CogVideoX-5B", "2024-08", "THUDM/CogVideo: sat/configs/cogvideox_5b.yaml", "CogVideoXTransformer3DModel",
        {"num_attention_heads": 48, "num_layers": 42, "use_rotary_positional_embeddings": True},
        fps=8, ratios=(4, 8, 8), text_length=226, text="joint, one set of weights",
    ),
    OpenModel(
        "Mochi 1", "2024-10", "genmoai/mochi: src/genmo/mochi_preview/pipelines.py", "MochiTransformer3DModel", {},
        fps=30, ratios=(6, 8, 8), text_length=256, text="joint, a narrower text stream",
    ),
    OpenModel(
        "LTX-Video 2B", "2024-11", "Lightricks/LTX-Video; the defaults of diffusers' class",
        "LTXVideoTransformer3DModel", {}, fps=25, ratios=(8, 32, 32), patch=(1, 1, 1), text_length=128,
        text="cross-attention",
    ),
    OpenModel(
        "HunyuanVideo", "2024-12", "Tencent-Hunyuan/HunyuanVideo: hyvideo/modules/models.py",
        "HunyuanVideoTransformer3DModel", {}, fps=24, ratios=(4, 8, 8), text_length=256,
        text="joint, 20 double blocks, then one set of weights", depths=("num_layers", "num_single_layers"),
    ),
    OpenModel(
        "Wan 2.1 1.3B", "2025-02", "Wan-Video/Wan2.1: wan/configs/wan_t2v_1_3B.py", "WanTransformer3DModel",
        {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30},
        fps=16, ratios=(4, 8, 8), text_length=512, text="cross-attention",
    ),
    OpenModel(
        "Wan 2.1 14B", "2025-02", "Wan-Video/Wan2.1: wan/configs/wan_t2v_14B.py", "WanTransformer3DModel", {},
        fps=16, ratios=(4, 8, 8), text_length=512, text="cross-attention",
    ),
    OpenModel(
        "Open-Sora 2.0", "2025-03", "hpcaitech/Open-Sora: configs/diffusion/inference/256px.py",
        "FluxTransformer2DModel", {}, fps=24, ratios=(4, 8, 8), text_length=512,
        text="joint, 19 double blocks, then one set of weights",
        depths=("num_layers", "num_single_layers"),
    ),
    OpenModel(
        "Wan 2.2 5B", "2025-07", "Wan-Video/Wan2.2: wan/configs/wan_ti2v_5B.py", "WanTransformer3DModel",
        {"num_attention_heads": 24, "ffn_dim": 14336, "num_layers": 30, "in_channels": 48, "out_channels": 48},
        fps=24, ratios=(4, 16, 16), text_length=512, text="cross-attention",
    ),
)  # fmt: skip


def build(model: OpenModel, device="meta", **changes) -> Any:
    """Its transformer, a model of diffusers, with fresh weights; on the meta device it has none and takes no memory.

    Args:
        model: the published model.
        device: of the weights.
        changes: of the configuration, such as `num_layers=2`.
    """
    with torch.device(device):
        return load_class(model.class_name)(**model.config | changes)


def count_flops(model: OpenModel, grid: tuple[int, int, int], **changes) -> tuple[float, float]:
    """Operations of one forward pass of one clip: those of linear layers, and those of attention.

    Args:
        model: the published model.
        grid: tokens of each axis.
        changes: of the configuration.
    """
    transformer = build(model, **changes)
    if model.class_name == "MochiTransformer3DModel":
        transformer.rope._create_rope = shapes_of_rope  # which asks for autocast, and the meta device has none
    inputs = example_inputs(transformer, grid, model.text_length)
    # Of a mask's numbers, which meta has not, all are assumed to be true.
    all_true = meta_config.patch(meta_nonzero_assume_all_nonzero=True)  # pyrefly: ignore [missing-attribute]
    with FlopCounterMode(display=False) as counter, torch.no_grad(), all_true:
        transformer(**inputs)
    counts = {str(operation): count for operation, count in counter.get_flop_counts()["Global"].items()}
    attention = sum(count for name, count in counts.items() if any(part in name for part in ATTENTION))
    return sum(counts.values()) - attention, attention


def shapes_of_rope(frequencies: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mochi's cosines and sines `(N, num_heads, head_dim / 2)`, as shapes."""
    turns = torch.empty(len(places), *frequencies.shape[1:], device=places.device)
    return turns, turns


def describe(model: OpenModel, seconds: float = 5, height: int = 720, width: int = 1280) -> ModelRow:
    """A model's row, for a clip of its own frame rate.

    All blocks of a kind cost the same, so the operations are counted with one block of each kind and with one more,
    and the rest is arithmetic.
    """
    whole = build(model)
    grid, depths = model.grid(model.frames(seconds), height, width), [whole.config[name] for name in model.depths]
    one = dict.fromkeys(model.depths, 1)
    base = torch.tensor(count_flops(model, grid, **one), dtype=torch.float64)
    total = base.clone()
    for name, depth in zip(model.depths, depths):
        more = torch.tensor(count_flops(model, grid, **one | {name: 2}), dtype=torch.float64)
        total += (depth - 1) * (more - base)
    heads = whole.config["num_attention_heads"]
    return ModelRow(
        model, sum(p.numel() for p in whole.parameters()), heads * whole.config["attention_head_dim"], heads,
        tuple(depths), grid[0] * grid[1] * grid[2], *total.tolist(),
    )  # fmt: skip


def model_table(
    models: Iterable[OpenModel] = OPEN_MODELS, seconds: float = 5, height: int = 720, width: int = 1280
) -> list[ModelRow]:
    """A row for each model: parameters, tokens and operations for a clip of so many seconds and pixels."""
    return [describe(model, seconds, height, width) for model in models]
