"""`generate`: a prompt to a video, with the shipped weights."""

from pathlib import Path

import click
import numpy as np
import torch
from diffusers.utils import logging
from PIL import Image, ImageOps

from common.data.sprites import parse, unknown_words
from common.data.sprites.attributes import COLORS, FPS
from common.data.sprites.captions import BACKGROUND_NAMES, MOTION_NAMES, SHAPE_NAMES, SIZE_NAMES
from common.models.dit import VideoDiT
from common.pipelines import TextToVideoPipeline
from common.pipelines.text_to_video import VAE
from common.show import contact_sheet
from common.video import writer
from common.video.sampling import clip_to_frames, frames_to_clip
from common.zoo import shelf

SUFFIXES = (".mp4", ".gif", ".png")
SHIPPED, NUM_FRAMES, SIZE = "sprites-t2v", 17, 64  # the weights, and the clips that they were trained on
EXAMPLE = "a small red star moves left over a blue field"
# What Pillow raises at a file that is no picture, is damaged, or has more pixels than anybody means.
NO_PICTURE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


@click.command()
@click.argument("prompt")
@click.option(
    "--image", type=click.Path(exists=True, dir_okay=False), help="A picture to begin with: its middle square."
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**63 - 1), help="Another one, another video."
)
@click.option("--steps", default=20, show_default=True, type=click.IntRange(1, 1000), help="More are slower.")
@click.option("--guidance", default=3.0, show_default=True, help="How much the prompt counts; 1: as trained.")
@click.option("--num-frames", default=NUM_FRAMES, show_default=True, type=click.IntRange(1), help="1, 5, 9, 13, ...")
@click.option("--size", default=SIZE, show_default=True, type=click.IntRange(16, 1024), help="Rows and columns.")
@click.option("--weights", default=SHIPPED, show_default=True, help="A shipped name, or a folder.")
@click.option("-o", "--out", default="generated.mp4", show_default=True, type=click.Path(dir_okay=False),
              help="A video (.mp4, .gif), or its contact sheet (.png).")  # fmt: skip
def generate(prompt, image, seed, steps, guidance, num_frames, size, weights, out):
    """Make a video of PROMPT, such as "a small red star moves left over a blue field".

    Beside the video comes a contact sheet, NAME_sheet.png.
    """
    out = Path(out)
    sheet = out if out.suffix.lower() == ".png" else out.with_name(f"{out.stem}_sheet.png")
    try:
        check(prompt, guidance, out)
        if image is not None and Path(image).resolve() in (out.resolve(), sheet.resolve()):
            raise ValueError(f"the picture {image} would be overwritten; choose another --out")
        first = None if image is None else load_image(image, size)
        pipeline = load(weights)
        for note in notes(prompt, weights, num_frames, size):
            click.echo(f"note: {note}", err=True)
        clip = pipeline(
            prompt, first, num_frames, size, size, steps, guidance, generator=torch.Generator().manual_seed(seed)
        ).frames[0]  # (3, T, H, W)
        contact_sheet(clip, fps=FPS, title=prompt).save(sheet)
        write(out, clip)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if sheet != out:
        click.echo(f"video: {out} ({num_frames} frames of {size}x{size}, {FPS} a second)")
    click.echo(f"contact sheet: {sheet}")


def check(prompt: str, guidance: float, out: Path) -> None:
    """Before anything is computed.

    Raises:
        ValueError: there is nothing in the prompt; guidance is no useful number; the file is of another kind, or in a
            folder that does not exist.
    """
    if not prompt.strip():
        raise ValueError(f"the prompt is empty; say what to show, such as {EXAMPLE!r}")
    if not 0 <= guidance <= 100:
        raise ValueError(f"--guidance is from 0 to 100, got {guidance}")
    if out.suffix.lower() not in SUFFIXES:
        raise ValueError(f"--out ends in {', '.join(SUFFIXES)}; got {out.name!r}")
    if not out.parent.is_dir():
        raise ValueError(f"there is no folder {out.parent}; make it first, or choose another --out")


def load(weights: str) -> TextToVideoPipeline:
    """The pipeline of a shipped name or of a folder: of a whole pipeline, or of a transformer alone.

    Raises:
        ValueError: there is none.
    """
    logging.disable_progress_bar()  # of loading, which is short
    if (Path(weights) / "model_index.json").is_file():
        pipeline = TextToVideoPipeline.from_pretrained(weights)
    else:
        place = shelf.weights_folder(weights)  # where they are not there, the error says which recipe makes them
        if shelf.model_class(place) is not VideoDiT:
            raise ValueError(f"{weights} is no model that makes videos of prompts; {SHIPPED} is")
        pipeline = TextToVideoPipeline(shelf.from_pretrained(place), shelf.from_pretrained(VAE))
    pipeline.set_progress_bar_config(desc="steps")
    return pipeline


def load_image(path: str, size: int) -> torch.Tensor:
    """The middle square of a picture, `(3, size, size)` in [-1, 1]. What is transparent becomes white.

    Raises:
        ValueError: it cannot be read as a picture.
    """
    try:
        picture = ImageOps.exif_transpose(Image.open(path))  # upright, as viewers show it
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        picture = picture.convert("RGB")
    except NO_PICTURE as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}. A PNG or JPEG file is one") from error
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.resize((size, size), Image.Resampling.BOX, box=(left, top, left + side, top + side))
    return frames_to_clip(np.array(square)[None])[:, 0]


def notes(prompt: str, weights: str, num_frames: int, size: int) -> list[str]:
    """What will not come out as asked, as far as it can be known before."""
    found = []
    if unknown := unknown_words(prompt):
        found.append(
            f"the world of these weights has no word {', '.join(map(repr, dict.fromkeys(unknown)))}; expect something "
            f"else there. It has {vocabulary()}."
        )
    else:
        try:
            parse(prompt)
        except ValueError as error:
            found.append(f"{error}. What is not said as in training, the weights choose themselves.")
    if weights == SHIPPED and (num_frames, size) != (NUM_FRAMES, SIZE):
        found.append(f"{SHIPPED} learned on {NUM_FRAMES} frames of {SIZE}x{SIZE}; other sizes come out worse.")
    return found


def vocabulary() -> str:
    """One word for each thing that a caption can say, on a line."""
    first = lambda names: "/".join(phrases[0] for phrases in names.values())  # noqa: E731
    backgrounds = first(BACKGROUND_NAMES).format(color="blue")
    return f"{first(SIZE_NAMES)}; {'/'.join(COLORS)}; {first(SHAPE_NAMES)}; {first(MOTION_NAMES)}; over {backgrounds}"


def write(out: Path, clip: torch.Tensor) -> None:
    """A clip `(3, T, H, W)` as a file of the suffix's kind; for a picture there is nothing left to do."""
    if out.suffix.lower() == ".mp4":
        writer.write(out, clip, FPS, quality=12)
    elif out.suffix.lower() == ".gif":
        frames = clip_to_frames(clip)
        pictures = [Image.fromarray(frame) for frame in frames]
        pictures[0].save(out, save_all=True, append_images=pictures[1:], duration=round(1000 / FPS), loop=0)
