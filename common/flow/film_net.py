"""FILM, the interpolator that this chapter is named after, as it was published: for machines that hold its weights.

Reda et al.: FILM: frame interpolation for large motion, ECCV 2022 (arXiv 2202.04901).
"""

import importlib
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from einops import rearrange

TORCHSCRIPT = "film_net_fp32.pt"
TORCHSCRIPT_URL = f"https://github.com/dajes/frame-interpolation-pytorch/releases/download/v1.0.2/{TORCHSCRIPT}"
SAVED_MODEL_URL = "https://github.com/google-research/frame-interpolation#pre-trained-models"
ALIGNMENT = 64  # rows and columns are padded to multiples of this: FILM halves its pictures six times


def load_film(path: str | Path | None = None, *, device: torch.device | str = "cpu") -> Callable[..., torch.Tensor]:
    """FILM with its published weights, as a function of two pictures. Nothing is downloaded.

    Two forms of it are in use, and both are read here: the authors' TensorFlow SavedModel, a folder, which needs
    `tensorflow`; and a conversion of its `Style` variant to TorchScript, one file, which needs nothing but torch.

    Args:
        path: the TorchScript file or the folder of the SavedModel; `film_net_fp32.pt` in torch.hub's folder for
            checkpoints if None.
        device: where the TorchScript network runs.

    Returns:
        `between(first, last, time=0.5)`: two batches `(B, 3, H, W)` in [-1, 1] to the picture at `time`, the same
        shape, in [-1, 1].

    Raises:
        FileNotFoundError: the weights are not on this machine; the message says what to download, and where it belongs.
        ImportError: the path is a SavedModel, and TensorFlow is not installed.
    """
    file = Path(torch.hub.get_dir()) / "checkpoints" / TORCHSCRIPT if path is None else Path(path)
    if file.is_file():
        run = _torchscript(file, device)
    elif (file / "saved_model.pb").is_file():
        run = _saved_model(file)
    else:
        raise FileNotFoundError(
            f"FILM's weights are not on this machine. On one with a network, download {TORCHSCRIPT_URL} and put it at "
            f"{file}; or give the folder of one of the authors' SavedModels, which are listed at {SAVED_MODEL_URL}"
        )

    @torch.no_grad()
    def between(first: torch.Tensor, last: torch.Tensor, time: float = 0.5) -> torch.Tensor:
        if first.ndim != 4 or first.shape != last.shape:
            raise ValueError(f"two pictures (B, 3, H, W) of one shape: got {tuple(first.shape)}, {tuple(last.shape)}")
        height, width = first.shape[-2:]
        padding = (0, -width % ALIGNMENT, 0, -height % ALIGNMENT)
        padded = [F.pad((picture.float() + 1) / 2, padding, mode="replicate") for picture in (first, last)]  # [0, 1]
        times = torch.full((len(first), 1), float(time))  # (B, 1)
        middle = run(*padded, times)[..., :height, :width]
        return (middle.clamp(0, 1) * 2 - 1).to(first)

    return between


def _torchscript(file: Path, device: torch.device | str) -> Callable:
    network = torch.jit.load(file, map_location="cpu").eval().float().to(device)
    return lambda first, last, times: network(first.to(device), last.to(device), times.to(device))


def _saved_model(folder: Path) -> Callable:
    try:
        tensorflow = importlib.import_module("tensorflow")
    except ImportError as error:
        raise ImportError(
            f"{folder} is a TensorFlow SavedModel, and TensorFlow is not installed: pip install tensorflow. The "
            f"TorchScript form needs torch alone: {TORCHSCRIPT_URL}"
        ) from error
    network = tensorflow.saved_model.load(str(folder))

    def run(first: torch.Tensor, last: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        first, last = (rearrange(picture.cpu(), "b c h w -> b h w c").contiguous().numpy() for picture in (first, last))
        inputs = {"x0": first, "x1": last, "time": times.numpy()}
        image = network({name: tensorflow.convert_to_tensor(value) for name, value in inputs.items()}, training=False)
        return rearrange(torch.from_numpy(image["image"].numpy()), "b h w c -> b c h w")

    return run
