"""A video diffusion transformer for clips of many shapes: a shipped one with scaled positions and a LoRA.

model = ShapedVideoDiT.of("sprites-t2v")           # its weights frozen, a fresh LoRA beside them
model.save_pretrained("weights")                   # the LoRA, and the checksum of what it belongs to
model = ShapedVideoDiT.from_pretrained("weights")  # merged: as large and as fast as the base
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from safetensors.torch import load_file, save_file
from torch import nn

from common.layers.lora import inject_lora, lora_state, merge_lora
from common.layers.modulation import timestep_features
from common.layers.norm import plain_norm
from common.layers.packed_block import packed_block
from common.layers.rope import rotations
from common.layers.scaled_rope import scaled_rotations
from common.models.dit import VideoDiT, VideoDiTOutput
from common.models.shipped import CONFIG, WEIGHTS, WeightsError, demand_class, find, pop_dtype, read_json
from common.tensor_ops import patchify, unpatchify

LAYERS = ("to_qkv", "to_q", "to_kv", "to_out", "ffn")  # of every block, beside which there is a LoRA


class ShapedVideoDiT(ModelMixin, ConfigMixin):
    """`VideoDiT` with positions that are scaled to the square that its base was trained on.

    It has the layers of a `VideoDiT` and is built with the same arguments. Its config has besides `base`, a name of
    shipped weights or a folder, `base_sha256` of their file, `base_rows`, the rows of tokens of the trained square,
    `rank` of the LoRA, and `scaled`: False for positions as in the base.
    """

    config: Any  # diffusers says a dict; it is a FrozenDict, whose entries are attributes too
    patches_in: nn.Linear
    patches_out: nn.Linear
    text_in: nn.Sequential
    time_in: nn.Sequential
    to_signal: nn.Linear
    to_last_signal: nn.Linear
    blocks: nn.ModuleList

    @register_to_config
    def __init__(
        self,
        in_channels: int = 16,
        patch_size: int = 2,
        dim: int = 256,
        num_layers: int = 7,
        num_heads: int = 4,
        ffn_dim: int = 896,
        text_dim: int = 384,
        freq_dim: int = 256,
        rope_theta: float = 100.0,
    ):
        super().__init__()
        layers = VideoDiT(
            in_channels, patch_size, dim, num_layers, num_heads, ffn_dim, text_dim, freq_dim, rope_theta
        )  # fmt: skip
        for name, layer in layers.named_children():
            self.add_module(name, layer)

    @classmethod
    def of(cls, base: str | Path, rank: int = 32, base_rows: int = 4, scaled: bool = True) -> "ShapedVideoDiT":
        """The base with a fresh LoRA, which alone can be trained and changes nothing yet.

        Raises:
            WeightsError: there are no such weights, or they are not a `VideoDiT`'s.
        """
        from common.models.inflated_model import checksum  # here: it brings diffusers' U-Nets along

        place = Path(find(base))
        whole: Any = VideoDiT.from_pretrained(place)
        model = cls(**{name: value for name, value in whole.config.items() if not name.startswith("_")})
        model.load_state_dict(whole.state_dict())
        inject_lora(model, LAYERS, rank)
        model.register_to_config(
            base=str(base), base_sha256=checksum(place), base_rows=base_rows, rank=rank, scaled=scaled
        )
        return model

    @classmethod
    def placed(cls, base: str | Path) -> "ShapedVideoDiT":
        """The base's own weights with scaled positions, and nothing to train.

        Raises:
            WeightsError: as `of`.
        """
        model = cls.of(base, rank=1)
        merge_lora(model)
        return model.eval()

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """A model by the name of shipped weights, or from a folder, merged; it takes `dtype` or `torch_dtype`.

        Raises:
            WeightsError: there are no such weights, they are another model's, or the base's weights are not those that
                they were trained on.
            TypeError: there are other arguments.
        """
        place = Path(find(pretrained_model_name_or_path))
        demand_class(cls, place)
        dtype = pop_dtype(kwargs) or torch.float32
        if kwargs:
            raise TypeError(f"beside the weights it takes dtype or torch_dtype; got {', '.join(kwargs)}")
        config = read_json(place / CONFIG)
        model = cls.of(config["base"], config["rank"], config["base_rows"], config["scaled"])
        if model.config.base_sha256 != config["base_sha256"]:
            raise WeightsError(
                f"{place.name} belongs to other weights of {config['base']} than those that are there: their checksums "
                f"are {config['base_sha256'][:12]} and {model.config.base_sha256[:12]}"
            )
        try:
            state = load_file(place / WEIGHTS)
            model.load_state_dict(model.state_dict() | {name: tensor.float() for name, tensor in state.items()})
        except RuntimeError as error:
            raise WeightsError(f"{place} does not hold the LoRA of this config: {error}") from error
        if lora_state(model.state_dict()).keys() != state.keys():
            raise WeightsError(f"{place} does not hold the LoRA of this config: some of its matrices are missing")
        merge_lora(model)
        nn.Module.to(model, dtype)
        return model.eval()

    def save_pretrained(self, save_directory, *args, **kwargs) -> None:
        """Write config and LoRA into a folder.

        Raises:
            ValueError: it is merged.
        """
        state = lora_state(self.state_dict())
        if not state:
            raise ValueError("this model's LoRA is merged into its weights; save it before it is merged")
        self.save_config(save_directory)
        save_file({k: v.contiguous() for k, v in state.items()}, Path(save_directory) / WEIGHTS, {"format": "pt"})

    def forward(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        encoder_attention_mask: torch.Tensor | None = None,
        return_dict: bool = True,
    ):
        """Predict a velocity: as `VideoDiT.forward`, of whole clips, with scaled positions. Arguments as there.

        Raises:
            ValueError: as there.
        """
        self._check(hidden_states, timestep)
        x, grid = self._tokens(hidden_states)
        text = self.text_in(plain_norm(encoder_hidden_states).to(x.dtype))  # (B, L, D)
        time = self._time(timestep[:, None] if timestep.ndim == 1 else timestep, x.dtype)
        signal, rotation, new_caches = self.to_signal(time), self.rotation(grid, x.device), []
        for block in self.blocks:
            x, cache = block(x, signal, text, encoder_attention_mask, rotation)
            new_caches.append(cache)
        sample = self._latents(x, time, hidden_states.shape[2:])
        return VideoDiTOutput(sample=sample, caches=new_caches) if return_dict else (sample, new_caches)

    def packed(
        self,
        latents: Sequence[torch.Tensor],
        timesteps: Sequence[torch.Tensor],
        texts: Sequence[torch.Tensor],
        run_block: Callable | None = None,
    ) -> list[torch.Tensor]:
        """Predict the velocities of clips of any shapes at once, in one sequence without padding.

        Args:
            latents: of each clip `(C, T', H', W')`.
            timesteps: of each clip 1000 times its noise level: of no axis, or `(T',)`.
            texts: of each clip the states of its text's tokens, `(L, text_dim)`.
            run_block: what runs each block, with the arguments of `packed_block`; None for that.

        Returns:
            As `latents`: for each clip what `forward` gives for it alone, up to rounding.
        """
        tokens, rotation, signals, times = [], [], [], []
        for x, timestep in zip(latents, timesteps, strict=True):
            own, grid = self._tokens(x[None])
            time = self._time(timestep.expand(x.shape[1])[None], own.dtype)  # (1, T', D)
            tokens.append(own.flatten(0, 2))
            rotation.append(self.rotation(grid, x.device))
            signals.append(self.to_signal(time)[0].repeat_interleave(own.shape[2], dim=0))  # (N, 9 D)
            times.append(time)
        words = [self.text_in(plain_norm(text).to(tokens[0].dtype)) for text in texts]
        for block in self.blocks:
            tokens = (run_block or packed_block)(block, tokens, signals, words, rotation)
        return [
            self._latents(rearrange(own, "(t s) d -> 1 t s d", t=x.shape[1]), time, x.shape[1:])[0]
            for own, time, x in zip(tokens, times, latents)
        ]

    def _check(self, latents: torch.Tensor, timestep: torch.Tensor) -> None:
        if latents.ndim != 5 or latents.shape[1] != self.config.in_channels:
            raise ValueError(f"latents are (B, {self.config.in_channels}, T', H', W'), got {tuple(latents.shape)}")
        batch, _, num_frames = latents.shape[:3]
        if timestep.shape not in ((batch,), (batch, num_frames)):
            raise ValueError(f"timestep is ({batch},) or ({batch}, {num_frames}), got {tuple(timestep.shape)}")

    def rotation(self, grid: tuple[int, int, int], device=None) -> torch.Tensor:
        """The turns of a grid of tokens."""
        head_dim, theta = self.config.dim // self.config.num_heads, self.config.rope_theta
        if not self.config.scaled:
            return rotations(grid, head_dim, theta=theta, device=device)
        return scaled_rotations(grid, head_dim, self.config.base_rows, theta, device)

    def _tokens(self, latents: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int, int]]:
        num_frames, height, width = latents.shape[2:]
        p = self.config.patch_size
        x = rearrange(patchify(latents, (1, p, p)), "b (t s) d -> b t s d", t=num_frames)
        return self.patches_in(x).to(latents.dtype), (num_frames, height // p, width // p)

    def _time(self, levels: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        return self.time_in(timestep_features(levels, self.config.freq_dim).to(dtype))

    def _latents(self, x: torch.Tensor, time: torch.Tensor, size) -> torch.Tensor:
        p = self.config.patch_size
        shift, scale = self.to_last_signal(time)[:, :, None].float().chunk(2, dim=-1)  # (B, T' or 1, 1, D) each
        x = self.patches_out(torch.addcmul(shift, plain_norm(x), 1 + scale).to(x.dtype)).to(x.dtype)
        return unpatchify(rearrange(x, "b t s d -> b (t s) d"), (1, p, p), tuple(size))
