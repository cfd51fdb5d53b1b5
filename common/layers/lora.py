"""LoRA: a frozen linear layer and a product of two thin matrices beside it, which alone is trained.

W x + B A x, with A of `rank` rows (Hu et al. 2021, arXiv:2106.09685). B begins at zero: at first nothing changes.
Once trained, W + B A is one matrix again, and costs no more than W did.
"""

from collections.abc import Collection

import torch
from torch import nn


class LoRALinear(nn.Module):
    """A linear layer with a low-rank addition.

    Args:
        linear: the layer, which is frozen.
        rank: rows of A.
    """

    def __init__(self, linear: nn.Linear, rank: int):
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.lora_a = nn.Parameter(torch.randn(rank, linear.in_features) * linear.in_features**-0.5)
        self.lora_b = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(..., in_features)` to `(..., out_features)`."""
        return self.linear(x) + nn.functional.linear(nn.functional.linear(x, self.lora_a), self.lora_b)

    def merged(self) -> nn.Linear:
        """One linear layer that gives the same, up to rounding."""
        merged = nn.Linear(self.linear.in_features, self.linear.out_features, self.linear.bias is not None)
        merged.load_state_dict(self.linear.state_dict())
        with torch.no_grad():
            merged.weight += self.lora_b.float() @ self.lora_a.float()
        return merged.to(self.linear.weight.device, self.linear.weight.dtype).requires_grad_(False)


def inject_lora(model: nn.Module, names: Collection[str], rank: int) -> list[str]:
    """Replace every linear layer whose own name, or that of the `nn.Sequential` around it, is among `names`.

    All other parameters are frozen.

    Returns:
        The layers that were replaced, by their full names.

    Raises:
        ValueError: there is none, or the rank is below 1.
    """
    chosen = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and set(name.split(".")[-2:]) & set(names)
    }
    if not chosen or rank < 1:
        raise ValueError(f"LoRA of rank {rank} for {', '.join(names)}: {len(chosen)} such linear layers in the model")
    model.requires_grad_(False)
    for name, linear in chosen.items():
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, LoRALinear(linear, rank))
    return list(chosen)


def merge_lora(model: nn.Module) -> None:
    """Replace every `LoRALinear` by one linear layer that gives the same."""
    for name, module in list(model.named_modules()):
        if isinstance(module, LoRALinear):
            parent, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(parent), leaf, module.merged())


def lora_state(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Of a state dict the trained matrices alone."""
    return {name: tensor for name, tensor in state.items() if name.rpartition(".")[2] in ("lora_a", "lora_b")}
