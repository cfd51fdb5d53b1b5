"""The README's picture of `sprites-t2v`: four prompts, and one that begins with a given picture, each as a strip.

    python -m common.zoo.sprites_t2v.gallery phases/06_dit_flow_matching/gallery.png

The seed is 0 for every clip, so nothing is picked out; steps and guidance are those of `flipbook generate`, which makes
the same clips. The world's reader is asked about every clip: a picture in which it does not read what was asked for, or
in which an object is lost on the way, is not written.
"""

import argparse
from pathlib import Path

import torch
from PIL import Image

from common.data.sprites import caption, parse, render, scene_of
from common.evaluation.sprite_reader import agreement, read_sprites
from common.pipelines import TextToVideoPipeline
from common.show.frames import as_frames, spread
from common.show.layout import draw
from common.zoo.sprites_t2v.prompts import SHOWN

FROM_TEXT, FROM_IMAGE = SHOWN[1:5], SHOWN[6]
NUM_SHOWN, WIDTH = 9, 96  # frames of a strip, pixels of a frame
COLOURS = 192  # of the file: flat pictures need no more
LEAST_SEEN = 0.5  # of an object in every frame: below that it is lost


def clips(pipe: TextToVideoPipeline, seed: int) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """The clips by their prompts, `(3, T, H, W)` each, and the picture with which the last one begins, `(3, H, W)`."""
    image = render([scene_of(parse(FROM_IMAGE))], num_frames=1).clips()[0, :, 0]
    made = {}
    for prompt in (*FROM_TEXT, FROM_IMAGE):
        generator = torch.Generator().manual_seed(seed)
        made[prompt] = pipe(prompt, image if prompt == FROM_IMAGE else None, generator=generator).frames[0]
    return made, image


def faults(made: dict[str, torch.Tensor]) -> list[str]:
    """What the world's reader objects to in clips, by their prompts: a sentence each, none if all show what was asked.

    A clip is at fault if an attribute of its caption is read differently or cannot be told, or if some frame shows less
    than half of an object.
    """
    found = []
    for prompt, reading in zip(made, read_sprites(torch.stack(list(made.values()))), strict=True):
        wrong = [name for name, agrees in agreement(prompt, reading).items() if not agrees and name != "all"]
        if wrong:
            read = caption(reading.words) if reading.words else "not everything can be told"
            found.append(f"{prompt!r}: {', '.join(wrong)} not as asked ({read})")
        for item in reading.objects:
            lost = [k for k, seen in enumerate(item.seen) if seen < LEAST_SEEN]
            if lost:
                found.append(f"{prompt!r}: the {item.shape} is lost in frame {', '.join(map(str, lost))}")
    return found


def sheet(made: dict[str, torch.Tensor], image: torch.Tensor) -> Image.Image:
    """One row per clip; the given picture is framed, before the frames that follow it."""
    rows, names = [], []
    for prompt, clip in made.items():
        frames = as_frames(clip)
        row = [(frames[k], str(k), False) for k in spread(len(frames), NUM_SHOWN)]
        if prompt == FROM_IMAGE:
            row[0] = (as_frames(image[:, None])[0], "given", True)
        rows.append(row)
        names.append(f"“{prompt}”" + (", from a picture" if prompt == FROM_IMAGE else ""))
    return draw(rows, WIDTH, names=names)


def main() -> None:
    """Make the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="a PNG file")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    pipe = TextToVideoPipeline.from_pretrained("sprites-t2v")
    pipe.set_progress_bar_config(disable=True)
    made, image = clips(pipe, arguments.seed)
    if wrong := faults(made):
        raise SystemExit("\n".join([*wrong, f"Nothing was written to {arguments.out}."]))
    picture = sheet(made, image).quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(arguments.out, optimize=True)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
