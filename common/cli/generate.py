"""`generate`: a prompt to a video, with the shipped weights."""

from pathlib import Path

import click
import numpy as np
import torch
from diffusers.utils import logging
from PIL import Image

from common.data.sprites import unknown_words
from common.data.sprites.attributes import FPS
from common.models.dit import VideoDiT
from common.pipelines import TextToVideoPipeline
from common.show import contact_sheet
from common.video import writer
from common.video.sampling import clip_to_frames, frames_to_clip
from common.zoo import shelf

SUFFIXES = (".mp4", ".gif", ".png")


@click.command()
@click.argument("prompt")
@click.option("--image", type=click.Path(exists=True, dir_okay=False), help="A picture to begin with.")
@click.option("--seed", default=0, show_default=True, help="Another number, another video.")
@click.option("--steps", default=20, show_default=True, type=click.IntRange(1, 1000), help="More are slower.")
@click.option("--guidance", default=4.0, show_default=True, help="How much the prompt counts; 1: as trained.")
@click.option("--num-frames", default=17, show_default=True, type=click.IntRange(1), help="1, 5, 9, 13, 17, ...")
@click.option("--size", default=64, show_default=True, type=click.IntRange(16, 1024), help="Rows and columns.")
@click.option("--weights", default="sprites-t2v", show_default=True, help="A shipped name, or a pipeline's folder.")
@click.option("-o", "--out", default="generated.mp4", show_default=True, type=click.Path(dir_okay=False),
              help="A video (.mp4, .gif), or its contact sheet (.png).")  # fmt: skip
def generate(prompt, image, seed, steps, guidance, num_frames, size, weights, out):
    """Make a video of PROMPT, such as "a small red star moves left over a blue field".

    Beside the video comes a contact sheet, NAME_sheet.png.
    """
    out = Path(out)
    try:
        check_out(out)
        first = None if image is None else load_image(image, size)
        pipeline = load(weights)
        warn_of(unknown_words(prompt))
        clip = pipeline(
            prompt, first, num_frames, size, size, steps, guidance, generator=torch.Generator().manual_seed(seed)
        ).frames[0]  # (3, T, H, W)
        sheet = out if out.suffix == ".png" else out.with_name(f"{out.stem}_sheet.png")
        contact_sheet(clip, fps=FPS, title=prompt).save(sheet)
        write(out, clip)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if sheet != out:
        click.echo(f"video: {out}")
    click.echo(f"contact sheet: {sheet}")


def check_out(out: Path) -> None:
    """Before anything is computed.

    Raises:
        ValueError: it is a file of another kind, or in a folder that does not exist.
    """
    if out.suffix not in SUFFIXES:
        raise ValueError(f"--out ends in {', '.join(SUFFIXES)}; got {out.name!r}")
    if not out.parent.is_dir():
        raise ValueError(f"there is no folder {out.parent}")


def load(weights: str) -> TextToVideoPipeline:
    """The pipeline of a shipped name or of a folder.

    Raises:
        ValueError: there is none.
    """
    if weights in shelf.names():
        # Where they are not there, the error says which recipe makes them.
        places = [shelf.weights_folder(needed) for needed in (weights, "sprites-vae")]
        if shelf.model_class(places[0]) is not VideoDiT:
            raise ValueError(f"{weights} is no model that makes videos of prompts")
    elif not (Path(weights) / "model_index.json").is_file():
        raise ValueError(f"{weights!r} is neither a pipeline's folder nor one of: {', '.join(shelf.names())}")
    logging.disable_progress_bar()  # of loading, which is short
    return TextToVideoPipeline.from_pretrained(weights)


def load_image(path: str, size: int) -> torch.Tensor:
    """The middle square of a picture, `(3, size, size)` in [-1, 1].

    Raises:
        ValueError: it cannot be read as a picture.
    """
    try:
        picture = Image.open(path).convert("RGB")
    except OSError as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from error
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.resize((size, size), Image.Resampling.BOX, box=(left, top, left + side, top + side))
    return frames_to_clip(np.array(square)[None])[:, 0]


def warn_of(words: list[str]) -> None:
    """Say which words the weights have never met."""
    if words:
        named = ", ".join(map(repr, words))
        click.echo(f"note: these weights were trained on a world without {named}; expect something else", err=True)


def write(out: Path, clip: torch.Tensor) -> None:
    """A clip `(3, T, H, W)` as a file of the suffix's kind; for a picture there is nothing left to do."""
    if out.suffix == ".mp4":
        writer.write(out, clip, FPS, quality=12)
    elif out.suffix == ".gif":
        frames = clip_to_frames(clip)
        pictures = [Image.fromarray(frame) for frame in frames]
        pictures[0].save(out, save_all=True, append_images=pictures[1:], duration=round(1000 / FPS), loop=0)
