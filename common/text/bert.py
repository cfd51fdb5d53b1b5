"""The forward pass of a small BERT: a state for each token, in which its neighbours are already read."""

import json
from pathlib import Path

import torch
from einops import rearrange
from safetensors import safe_open
from torch import nn
from torch.nn import functional as F

# A weight's name in the file -> in this module; {i} is the layer.
NAMES = {
    "embeddings.word_embeddings": "words",
    "embeddings.position_embeddings": "places",
    "embeddings.token_type_embeddings": "kinds",
    "embeddings.LayerNorm": "norm",
    "encoder.layer.{i}.attention.self.query": "layers.{i}.to_q",
    "encoder.layer.{i}.attention.self.key": "layers.{i}.to_k",
    "encoder.layer.{i}.attention.self.value": "layers.{i}.to_v",
    "encoder.layer.{i}.attention.output.dense": "layers.{i}.to_out",
    "encoder.layer.{i}.attention.output.LayerNorm": "layers.{i}.norm_attention",
    "encoder.layer.{i}.intermediate.dense": "layers.{i}.up",
    "encoder.layer.{i}.output.dense": "layers.{i}.down",
    "encoder.layer.{i}.output.LayerNorm": "layers.{i}.norm_ffn",
}


class BertLayer(nn.Module):
    """Tokens read each other, then each thinks for itself; the norm comes after the sum (arXiv:1706.03762)."""

    def __init__(self, dim: int, num_heads: int, ffn_dim: int, eps: float):
        super().__init__()
        self.num_heads = num_heads
        self.to_q, self.to_k, self.to_v, self.to_out = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_attention, self.norm_ffn = nn.LayerNorm(dim, eps), nn.LayerNorm(dim, eps)
        self.up, self.down = nn.Linear(dim, ffn_dim), nn.Linear(ffn_dim, dim)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """`(B, L, D)` to the same; `mask` `(B, 1, 1, L)`, True for a token."""
        q, k, v = (
            rearrange(to(x), "b l (h d) -> b h l d", h=self.num_heads) for to in (self.to_q, self.to_k, self.to_v)
        )
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = self.norm_attention(x + self.to_out(rearrange(read, "b h l d -> b l (h d)")))
        return self.norm_ffn(x + self.down(F.gelu(self.up(x))))


class Bert(nn.Module):
    """BERT without its head (Devlin et al. 2018, arXiv:1810.04805).

    Args:
        vocab_size: pieces.
        dim: of a state.
        num_layers, num_heads, ffn_dim: of the transformer.
        max_length: tokens that have a place.
        eps: of the layer norms.
    """

    def __init__(
        self, vocab_size: int, dim: int, num_layers: int, num_heads: int, ffn_dim: int, max_length: int, eps: float
    ):
        super().__init__()
        self.words = nn.Embedding(vocab_size, dim)
        self.places = nn.Embedding(max_length, dim)
        self.kinds = nn.Embedding(2, dim)  # of first and second sentences; here there is only the first
        self.norm = nn.LayerNorm(dim, eps)
        self.layers = nn.ModuleList(BertLayer(dim, num_heads, ffn_dim, eps) for _ in range(num_layers))

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
        """Read texts.

        Args:
            tokens: numbers of pieces, `(B, L)`.
            mask: `(B, L)`, True for a token, False for padding.

        Returns:
            The states `(B, L, D)` before the first layer and after each: `num_layers + 1` tensors.
        """
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.norm(self.words(tokens) + self.places(places) + self.kinds.weight[0])
        states = [x]
        for layer in self.layers:
            x = layer(x, mask[:, None, None, :].bool())
            states.append(x)
        return states


def load_bert(folder: Path, num_layers: int | None = None) -> Bert:
    """A BERT from a folder with `config.json` and `model.safetensors`, as Hugging Face's `transformers` saves it.

    `num_layers`: take the first ones only; None for all.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    num_layers = config["num_hidden_layers"] if num_layers is None else num_layers
    with torch.device("meta"):
        model = Bert(
            config["vocab_size"], config["hidden_size"], num_layers, config["num_attention_heads"],
            config["intermediate_size"], config["max_position_embeddings"], config["layer_norm_eps"],
        )  # fmt: skip
    names = {theirs.format(i=i): ours.format(i=i) for theirs, ours in NAMES.items() for i in range(num_layers)}
    state = {}
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        for key in file.keys():  # noqa: SIM118
            stem, _, part = key.rpartition(".")
            if stem in names:  # not the later layers, the pooler and the numbers of the places
                state[f"{names[stem]}.{part}"] = file.get_tensor(key)
    model.load_state_dict(state, assign=True)
    return model.eval().requires_grad_(False)
