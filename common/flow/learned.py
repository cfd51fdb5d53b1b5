"""RAFT, the learned flow that most papers use, through torchvision: for machines that hold its weights.

Teed, Deng: RAFT: recurrent all-pairs field transforms for optical flow, ECCV 2020 (arXiv 2003.12039).
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

WEIGHTS = {"raft_large": "Raft_Large_Weights", "raft_small": "Raft_Small_Weights"}
SMALLEST = 128  # rows and columns below which RAFT's pyramid runs out of picture


def load_raft(
    name: str = "raft_large", *, num_flow_updates: int = 12, device: torch.device | str = "cpu"
) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """RAFT with torchvision's weights, as a function of two pictures. Nothing is downloaded.

    Args:
        name: `raft_large` or `raft_small`.
        num_flow_updates: steps of its recurrent unit.
        device: where the network runs.

    Returns:
        `flow(first, second)`: two batches `(B, 3, H, W)` in [-1, 1] to the forward flow `(B, 2, H, W)`, x then y, in
        pixels per frame.

    Raises:
        ValueError: there is no such network.
        ImportError: torchvision is not installed, or not the build that belongs to this torch.
        FileNotFoundError: the weights are not on this machine; the message says where they belong.
    """
    if name not in WEIGHTS:
        raise ValueError(f"name must be one of {', '.join(WEIGHTS)}; got {name!r}")
    try:
        from torchvision.models import optical_flow
    except (ImportError, RuntimeError) as error:  # RuntimeError: a torchvision built for another torch
        reason = " ".join(str(error).split())
        raise ImportError(
            f"RAFT needs the torchvision that belongs to torch {torch.__version__}, and it does not import: {reason}"
        ) from error
    weights = getattr(optical_flow, WEIGHTS[name]).DEFAULT
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if not file.is_file():
        raise FileNotFoundError(
            f"the weights of {name} are not on this machine. On one with a network, run "
            f"`python -c \"import torch; torch.hub.load_state_dict_from_url('{weights.url}')\"`, or put that file "
            f"at {file}"
        )
    network = getattr(optical_flow, name)()
    network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    network = network.to(device).eval()

    @torch.no_grad()
    def flow(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        height, width = first.shape[-2:]
        padding = (0, _missing(width), 0, _missing(height))
        pictures = [F.pad(picture.to(device), padding, mode="replicate") for picture in (first, second)]
        return network(*pictures, num_flow_updates=num_flow_updates)[-1][..., :height, :width]

    return flow


def _missing(side: int) -> int:
    """Pixels to add so that a side is long enough for RAFT, and a multiple of 8."""
    return max(SMALLEST, -(-side // 8) * 8) - side
