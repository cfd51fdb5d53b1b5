"""`animate`: a picture to a video, with the shipped weights."""

from pathlib import Path

import click
import torch
from diffusers.utils import logging
from PIL import Image, ImageOps

from common.cli.generate import check_out, load_image, look_at, write_both
from common.cli.user_path import UserPath
from common.data.sprites.prompts import PromptReading, read_prompt
from common.data.sprites.vocabulary import suggestions
from common.evaluation.image import psnr
from common.models.frame_vae import FrameVAE
from common.models.inflated_model import InflatedUNet
from common.models.temporal_parts import with_own_layers
from common.pipelines.image_to_video import SETTINGS, VAE, ImageToVideoPipeline
from common.zoo import shelf

SHIPPED, SIZE, NUM_FRAMES, LAST_BUCKET = "sprites-svd", 64, 14, 255
KNOWN_FPS, MOST_TRAINED = (4, 8), 14  # of the clips that the shipped weights were trained on
POOR = 28  # dB that the autoencoder keeps of a picture; of those of its own world it keeps more than 30


@click.command()
@click.argument("picture", type=UserPath(exists=True, dir_okay=False))
@click.option("--prompt", default="", help='What happens, such as "it moves left". Without it the model chooses.')
@click.option("--motion", default=0.5, show_default=True, type=click.FloatRange(0, 1),
              help="How fast, from 0 to 1. The shipped weights hardly listen to it.")  # fmt: skip
@click.option("--frames", "--num-frames", "num_frames", default=NUM_FRAMES, show_default=True,
              type=click.IntRange(2, 64), help="Of the video.")  # fmt: skip
@click.option("--fps", default=SETTINGS["fps"], show_default=True, type=click.IntRange(1, 60),
              help="Frames per second: told to the model, and of the file.")  # fmt: skip
@click.option("--steps", default=SETTINGS["num_inference_steps"], show_default=True, type=click.IntRange(1, 1000),
              help="More are slower.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**63 - 1),
              help="Another seed, another video.")  # fmt: skip
@click.option("--model", default=SHIPPED, show_default=True, help="A shipped name, or a folder.")
@click.option("--raw", is_flag=True, help="Write the video's own pixels, not scaled up for players.")
@click.option("-o", "--output", "--out", "out", default="animated.mp4", show_default=True,
              type=UserPath(dir_okay=False), help="A video (.mp4, .gif), or its contact sheet (.png).")  # fmt: skip
def animate(picture, prompt, motion, num_frames, fps, steps, seed, model, raw, out):
    """Make the middle square of PICTURE move.

    It also writes a contact sheet, NAME_sheet.png. What the camera does is a part of the prompt ("it zooms in").
    """
    out = Path(out)
    sheet = out if out.suffix.lower() == ".png" else out.with_name(f"{out.stem}_sheet.png")
    try:
        check_out(out)
        if Path(picture).resolve() in (out.resolve(), sheet.resolve()):
            raise ValueError(f"the picture {picture} would be overwritten; choose another --output")
        first = load_image(picture, SIZE, SIZE)
        reading = read_prompt(prompt, seen=look_at(first)) if prompt.strip() else PromptReading("")
        pipeline = load(model)
        for note in notes(picture, first, reading, pipeline.vae) + unseen(model, num_frames, fps):
            click.echo(f"note: {note}", err=True)
        made = pipeline(
            first, reading.caption, SIZE, SIZE, num_frames, num_inference_steps=steps, fps=fps, generator=seed,
            motion_bucket_id=round(LAST_BUCKET * motion),
        )  # fmt: skip
        write_both(made.frames[0], out, sheet, reading.caption or Path(picture).name, fps, raw=raw)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


def load(model: str) -> ImageToVideoPipeline:
    """The pipeline around the U-Net of a shipped name or of a folder. Its temporal layers are those of the library.

    Raises:
        ValueError: there is none.
    """
    logging.disable_progress_bar()  # of loading, which is short
    logging.set_verbosity_error()  # it warns of layers to keep in float32, and then names none
    place = shelf.weights_folder(model)  # where they are not there, the error says which recipe makes them
    if shelf.model_class(place) is not InflatedUNet:
        raise ValueError(f"{model} is no model that makes pictures move; {SHIPPED} is")
    unet = with_own_layers(InflatedUNet.from_pretrained(model))
    pipeline = ImageToVideoPipeline(unet.eval(), FrameVAE.from_pretrained(VAE))
    pipeline.set_progress_bar_config(desc="steps", disable=False)
    return pipeline


@torch.no_grad()
def notes(picture: str, first: torch.Tensor, reading: PromptReading, vae: FrameVAE) -> list[str]:
    """What will not come out as asked, as far as it can be known before: a line each.

    Args:
        picture: the file.
        first: what is used of it, `(3, 64, 64)` in [-1, 1].
        reading: of the prompt.
        vae: of the pipeline.
    """
    found = []
    with Image.open(picture) as opened:
        width, height = ImageOps.exif_transpose(opened).size
    if width != height:
        found.append(f"{Path(picture).name} is {width}x{height}; its middle square is used.")
    kept = float(psnr(vae(first[None]).sample[0].clamp(-1, 1), first, data_range=2))
    if kept < POOR:
        found.append(
            f"the model knows flat shapes on plain or patterned fields. Its autoencoder keeps {kept:.1f} dB of this "
            f"picture, and more than {POOR + 2} of its own world: what is finer blurs."
        )
    if reading.caption and not reading.is_caption:
        outside = f"not in this world: {suggestions(reading.outside)} " if reading.outside else ""
        found.append(f'{outside}Asked of the model: "{reading.caption}"')
    return found


def unseen(model: str, num_frames: int, fps: int) -> list[str]:
    """What the shipped weights were not trained for: a line each; of other weights it is not known."""
    if model != SHIPPED:
        return []
    found = []
    if num_frames > MOST_TRAINED:
        found.append(f"{SHIPPED} learned on clips of up to {MOST_TRAINED} frames; longer ones come out worse.")
    if fps not in KNOWN_FPS:
        known = " and ".join(map(str, KNOWN_FPS))
        found.append(f"{SHIPPED} learned at {known} frames per second; at {fps} the speed is a guess.")
    return found
