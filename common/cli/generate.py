"""`generate`: a prompt to a video, with the shipped weights."""

from pathlib import Path

import click
import numpy as np
import torch
from diffusers.utils import logging
from PIL import Image, ImageOps

from common.cli.user_path import UserPath
from common.data.sprites import ObjectWords, SceneWords, is_held_out, parse
from common.data.sprites.attributes import FPS
from common.data.sprites.prompts import EXAMPLE, PromptReading, read_prompt
from common.data.sprites.vocabulary import suggestions
from common.evaluation.sprite_reader import read_sprites
from common.models.dit import VideoDiT
from common.models.shaped_dit import ShapedVideoDiT
from common.pipelines import TextToVideoPipeline
from common.pipelines.inputs import as_rgb
from common.pipelines.latent_upscale import SHIPPED as UPSCALER
from common.pipelines.latent_upscale import LatentUpscalePipeline, cascade
from common.pipelines.shipped_parts import VAE
from common.show import contact_sheet
from common.video import writer
from common.video.sampling import clip_to_frames, frames_to_clip
from common.zoo import shelf

SUFFIXES = (".mp4", ".gif", ".png")
SHIPPED, NUM_FRAMES, SIZE = "sprites-t2v", 17, 64  # the weights, and the clips that they were trained on
SHAPED = "sprites-t2v-shapes"  # and those for other sizes
# What Pillow raises at a file that is no picture, is damaged, or claims to be absurdly large.
NO_PICTURE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


@click.command()
@click.argument("prompt")
@click.option("--image", type=UserPath(exists=True, dir_okay=False), help="A picture to begin with: its middle.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0, 2**63 - 1),
    help="Another seed, another video.",
)
@click.option("--steps", default=20, show_default=True, type=click.IntRange(1, 1000), help="More are slower.")
@click.option("--guidance", default=3.0, show_default=True, help="How much the prompt counts; 1: as trained.")
@click.option("--image-guidance", type=float, help="How much the picture counts, apart from the prompt; 1: as trained.")
@click.option("--rescale", default=0.0, show_default=True, help="With --image-guidance, tames large ones: 0 to 1.")
@click.option("--num-frames", default=NUM_FRAMES, show_default=True, type=click.IntRange(1), help="1, 5, 9, 13, ...")
@click.option("--size", default=SIZE, show_default=True, type=click.IntRange(16, 1024), help="Rows and columns.")
@click.option("--height", type=click.IntRange(16, 1024), help="Rows, where they differ from --size.")
@click.option("--width", type=click.IntRange(16, 1024), help="Columns, where they differ from --size.")
@click.option("--upscale", is_flag=True, help="Twice as large: a second model draws the details.")
@click.option("--weights", "--model", default=SHIPPED, show_default=True, help="A shipped name, or a folder.")
@click.option("--raw", is_flag=True, help="Write the video's own pixels, not scaled up for players.")
@click.option("-o", "--out", default="generated.mp4", show_default=True, type=UserPath(dir_okay=False),
              help="A video (.mp4, .gif), or its contact sheet (.png).")  # fmt: skip
def generate(
    prompt, image, seed, steps, guidance, image_guidance, rescale, num_frames, size, height, width, upscale, weights,
    raw, out,
):  # fmt: skip
    """Make a video of PROMPT, such as "a small red star moves left over a blue field".

    It also writes a contact sheet, NAME_sheet.png.
    """
    out = Path(out)
    sheet = out if out.suffix.lower() == ".png" else out.with_name(f"{out.stem}_sheet.png")
    try:
        check(prompt, guidance, out)
        check_image_guidance(image, image_guidance, rescale)
        guided = {"image_guidance_scale": image_guidance, "guidance_rescale": rescale}
        if image is not None and Path(image).resolve() in (out.resolve(), sheet.resolve()):
            raise ValueError(f"the picture {image} would be overwritten; choose another --out")
        height, width = height or size, width or size
        first = None if image is None else load_image(image, height, width)
        reading = read_prompt(prompt, seen=None if first is None else look_at(first))
        pipeline = load(weights, height)
        for note in notes(reading, weights, num_frames, height, width):
            click.echo(f"note: {note}", err=True)
        sampler = {"num_inference_steps": steps, "guidance_scale": guidance, "generator": seed}
        sampler |= {"num_frames": num_frames, "height": height, "width": width, **guided}
        if upscale:
            made = cascade(pipeline, load_upscaler(), reading.caption, image=first, **sampler)
        else:
            made = pipeline(reading.caption, first, **sampler)
        write_both(made.frames[0], out, sheet, reading.caption, raw=raw)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


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
    check_out(out)


def check_out(out: Path) -> None:
    """Before anything is computed.

    Raises:
        ValueError: the file is of another kind, or in a folder that does not exist.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise ValueError(f"--out ends in {', '.join(SUFFIXES)}; got {out.name!r}")
    if not out.parent.is_dir():
        raise ValueError(f"there is no folder {out.parent}; make it first, or choose another --out")


def check_image_guidance(image: str | None, image_guidance: float | None, rescale: float) -> None:
    """Before anything is computed.

    Raises:
        ValueError: there is no picture whose part could be chosen, or a number is not in its range.
    """
    if image_guidance is not None and image is None:
        raise ValueError(f"--image-guidance is about a picture; give one with --image, got {image_guidance} alone")
    if image_guidance is not None and not 0 <= image_guidance <= 100:
        raise ValueError(f"--image-guidance is from 0 to 100, got {image_guidance}")
    if not 0 <= rescale <= 1:
        raise ValueError(f"--rescale is from 0 to 1, got {rescale}")
    if rescale and image_guidance is None:
        raise ValueError(f"--rescale goes with --image-guidance, got {rescale} alone")


def load(weights: str, height: int = SIZE) -> TextToVideoPipeline:
    """The pipeline of a shipped name or of a folder: of a whole pipeline, or of a transformer alone.

    `sprites-t2v` gets positions that are scaled to the height of the pictures, where that is not the trained one.

    Raises:
        ValueError: there is none.
    """
    logging.disable_progress_bar()  # of loading, which is short
    if (Path(weights) / "model_index.json").is_file():
        pipeline = TextToVideoPipeline.from_pretrained(weights)
    else:
        place = shelf.weights_folder(weights)  # where they are not there, the error says which recipe makes them
        if shelf.model_class(place) not in (VideoDiT, ShapedVideoDiT):
            raise ValueError(f"{weights} is no model that makes videos of prompts; {SHIPPED} is")
        scale = weights == SHIPPED and height != SIZE
        transformer = ShapedVideoDiT.placed(weights) if scale else shelf.from_pretrained(weights)
        pipeline = TextToVideoPipeline(transformer, shelf.from_pretrained(VAE))
    pipeline.set_progress_bar_config(desc="steps")
    return pipeline


def load_upscaler() -> LatentUpscalePipeline:
    """The second pipeline of the cascade.

    Raises:
        ValueError: its weights are not there.
    """
    return LatentUpscalePipeline.from_pretrained(UPSCALER)


def load_image(path: str, height: int, width: int) -> torch.Tensor:
    """The middle of a picture, in the shape asked for: `(3, height, width)` in [-1, 1]. What is transparent is white.

    Raises:
        ValueError: it cannot be read as a picture.
    """
    try:
        picture = as_rgb(ImageOps.exif_transpose(Image.open(path)))  # upright, as viewers show it
    except NO_PICTURE as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}. A PNG or JPEG file is one") from error
    across = min(picture.width, picture.height * width // height)
    down = min(picture.height, picture.width * height // width)
    left, top = (picture.width - across) // 2, (picture.height - down) // 2
    middle = picture.resize((width, height), Image.Resampling.BOX, box=(left, top, left + across, top + down))
    return frames_to_clip(np.array(middle)[None])[:, 0]


def look_at(image: torch.Tensor):
    """What the world's reader sees in a picture `(3, H, W)` in [-1, 1]: a reading, some of whose words may be None."""
    return read_sprites(image[None, :, None].expand(-1, -1, NUM_FRAMES, -1, -1))[0]


def notes(reading: PromptReading, weights: str, num_frames: int, height: int, width: int) -> list[str]:
    """What will not come out as asked, as far as it can be known before: a line each."""
    found = []
    if not reading.is_caption:
        outside = f"not in this world: {suggestions(reading.outside)}"
        why = outside if reading.outside else "the prompt is not yet a full caption."
        found.append(f'{why} Drawn: "{reading.caption}"')
    if weights == SHIPPED and (new := [item for item in parse(reading.caption).objects if is_new(item)]):
        things = " and ".join(f"a {item.color} {item.shape} with the motion {item.motion!r}" for item in new)
        found.append(f"no training clip shows {things}; if the clip does not either, try another --seed")
    if weights == SHIPPED and (num_frames, height, width) != (NUM_FRAMES, SIZE, SIZE):
        better = f" --weights {SHAPED} draws them better." if shelf.has_weights(SHAPED) else ""
        learned = f"{SHIPPED} learned on {NUM_FRAMES} frames of {SIZE}x{SIZE}; other sizes come out worse."
        found.append(learned + better)
    return found


def is_new(item: ObjectWords) -> bool:
    """Whether an object has a combination of words that is held out of training."""
    return is_held_out(SceneWords((item,), "field", "white"))


def write_both(clip: torch.Tensor, out: Path, sheet: Path, title: str, fps: int = FPS, *, raw: bool) -> None:
    """Write a clip `(3, T, H, W)` as a video and its contact sheet, and say where they are.

    Raises:
        ValueError, OSError: as `write`.
    """
    contact_sheet(clip, fps=fps, title=title).save(sheet)
    frames = clip_to_frames(clip) if raw else writer.enlarged(clip_to_frames(clip))
    write(out, frames, fps)
    if sheet != out:
        num_frames, height, width = frames.shape[:3]
        click.echo(f"video: {out} ({num_frames} frames of {width}x{height}, {fps} frames per second)")
    click.echo(f"contact sheet: {sheet}")


def write(out: Path, frames: np.ndarray, fps: int = FPS) -> None:
    """Frames `(T, H, W, 3)` uint8 as a file of the suffix's kind; for a picture there is nothing left to do."""
    if out.suffix.lower() == ".mp4":
        writer.write(out, frames, fps, quality=12)
    elif out.suffix.lower() == ".gif":
        pictures = [Image.fromarray(frame) for frame in frames]
        pictures[0].save(out, save_all=True, append_images=pictures[1:], duration=round(1000 / fps), loop=0)
