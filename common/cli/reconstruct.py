"""`reconstruct`: what an autoencoder makes of a clip. Original, reconstruction and difference, one above the other."""

from pathlib import Path

import click
import torch

from common.cli.user_path import UserPath
from common.data.bundled import clip_path
from common.data.download import DataError
from common.data.sprites import SpriteData, parse, render, scene_of, unknown_words
from common.evaluation.reconstruction import Reconstruction, clip_psnr
from common.models.inflation import inflate
from common.models.streaming import decode_stream, encode_stream
from common.show import compare
from common.video.sampling import sample_clip
from common.zoo import shelf

MULTIPLE = 8  # rows and columns of the autoencoder's clips come in these
CANDIDATES = ("sprites-vae", "film-vae")  # of which one is chosen where no model is named
NUM_TRIED = 17  # frames by which it is chosen


def one_and_fours(context, parameter, num_frames: int) -> int:
    """Check an option: 1 + 4k frames."""
    if num_frames % 4 != 1:
        raise click.BadParameter(f"a clip has 1 + 4k frames (1, 5, 9, ...), got {num_frames}")
    return num_frames


def in_eights(context, parameter, size: int) -> int:
    """Check an option: a multiple of 8."""
    if size % MULTIPLE:
        raise click.BadParameter(f"the size must be a multiple of {MULTIPLE}, got {size}")
    return size


@click.command()
@click.argument("clip")
@click.option(
    "--model",
    "--weights",
    "name",
    help=f"A shipped name, or a folder of weights [default: {' or '.join(CANDIDATES)}, whichever is better].",
)
@click.option(
    "--num-frames",
    default=17,
    show_default=True,
    type=click.IntRange(1),
    callback=one_and_fours,
    help="1, 5, 9, 13, 17, ...",
)
@click.option(
    "--size",
    default=64,
    show_default=True,
    type=click.IntRange(16, 1024),
    callback=in_eights,
    help="Rows; a multiple of 8.",
)
@click.option("--fps", default=8.0, show_default=True, type=click.FloatRange(0, min_open=True), help="Of a video file.")
@click.option("--start", default=0.0, type=click.FloatRange(0), help="Seconds into a video file.")
@click.option("--columns", default=6, show_default=True, type=click.IntRange(1), help="Frames to draw.")
@click.option(
    "--inflate",
    "kernel_frames",
    type=click.IntRange(1),
    help="Make an image autoencoder a causal 3D one first, with kernels of so many frames.",
)
@click.option("-o", "--out", default="reconstruction.png", show_default=True, type=UserPath(dir_okay=False))
def reconstruct(clip, **options):
    """Encode and decode CLIP; draw original, reconstruction and difference.

    CLIP is a video file, the name of a bundled clip, the number of a sprites clip of the test split, or a description
    of one: "a small red star moves left over a blue field".

    Without --model it is coded by sprites-vae or by film-vae, whichever restores its first 17 frames better.
    """
    try:
        draw_reconstruction(clip, **options)
    except (ValueError, OSError, DataError) as error:
        raise click.ClickException(str(error)) from error


def draw_reconstruction(clip, name, num_frames, size, fps, start, columns, kernel_frames, out):
    """What the command does; its errors are Python's own."""
    target, title = load(clip, num_frames, size, fps, start)
    model = shelf.from_pretrained(name) if name else best_model(target)
    if kernel_frames:
        if hasattr(model, "encode_chunk"):
            raise ValueError(f"{name or 'this model'} is causal and 3D already: --inflate is for image autoencoders")
        model = inflate(model, kernel_frames)
    latents, back = encode_and_decode(model, target)
    labels = ("original", "reconstruction")
    compare(target[0], back[0], num_frames=min(columns, num_frames), labels=labels, title=title).save(out)
    click.echo(f"{target[0].numel()} numbers to {latents[0].numel()}, and back")
    found = Reconstruction()
    found.add(back, target)
    for measure, value in found.result().items():
        if measure != "psnr_worst":  # of one clip
            click.echo(f"  {measure:16s}{value:8.3f}")
    click.echo(f"picture: {out}")


def best_model(target: torch.Tensor):
    """The candidate with the highest PSNR on the first 17 frames of `(1, 3, T, H, W)`; says which, and by how much."""
    tried, head = [], target[:, :, :NUM_TRIED]
    for name in [name for name in CANDIDATES if name in shelf.names() and shelf.has_weights(name)] or CANDIDATES[:1]:
        model = shelf.from_pretrained(name)
        _, back = encode_and_decode(model, head)
        tried.append((float(clip_psnr(back, head, data_range=2.0)), name, model))
    _, best, model = max(tried, key=lambda one: one[0])
    found = ", ".join(f"{name} {psnr:.2f} dB" for psnr, name, _ in tried)
    click.echo(f"model: {best} (the first {head.shape[2]} frames: {found})")
    return model


@torch.no_grad()
def encode_and_decode(model, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The latents of a clip and what comes back, `(1, 3, T, H, W)` in [-1, 1]; as a stream where the model can."""
    if hasattr(model, "encode_chunk"):
        latents = torch.cat(list(encode_stream(model, target.unbind(2))), dim=2)
        back = torch.cat(list(decode_stream(model, latents.split(1, dim=2))), dim=2)
    else:
        latents = model.encode(target).latent_dist.mode()
        back = model.decode(latents).sample
    return latents, back.clamp(-1, 1)


def load(clip: str, num_frames: int, size: int, fps: float, start: float) -> tuple[torch.Tensor, str]:
    """The clip that a word stands for, `(1, 3, T, H, W)` in [-1, 1], and a title.

    Raises:
        ValueError: it stands for nothing.
    """
    if clip.isdecimal():
        batch = SpriteData("test", num_frames, size).batch([int(clip)])
        return batch.clips(), batch.captions[0]
    if Path(clip).is_file():
        return cut_to_fit(sample_clip(clip, num_frames, fps=fps, start=start, size=size)), Path(clip).name
    if " " not in clip:
        return cut_to_fit(sample_clip(clip_path(clip), num_frames, fps=fps, start=start, size=size)), clip
    if unknown_words(clip):
        raise ValueError(
            f"no caption of this world says {', '.join(unknown_words(clip))}, and there is no file {clip!r}"
        )
    return render([scene_of(parse(clip))], num_frames, size).clips(), clip


def cut_to_fit(clip: torch.Tensor) -> torch.Tensor:
    """The middle of `(3, T, H, W)` whose rows and columns the autoencoder takes, as a batch of one."""
    height, width = (MULTIPLE * (side // MULTIPLE) for side in clip.shape[-2:])
    top, left = (clip.shape[-2] - height) // 2, (clip.shape[-1] - width) // 2
    return clip[None, :, :, top : top + height, left : left + width]
