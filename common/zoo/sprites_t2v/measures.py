"""How good `sprites-t2v` is: what the reader of the world sees in its clips, beside what no knowledge would give.

Every prompt has a clip, with the seed that is its number. Beside each part of the clips that agrees stands `chance/`,
how often two random captions of the world agree; `shuffled/`, how often the same clips agree with prompts of other
clips; and `untrained/`, what a fresh model's clips show.
"""

from collections.abc import Callable, Sequence

import torch

from common.data.sprites import SpriteData
from common.evaluation.sprite_reader import accuracy, chance_agreement, object_accuracy, read_sprites
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import VideoDiT
from common.pipelines import TextToVideoPipeline
from common.zoo.captioned import VAE
from common.zoo.settings import pick_setting
from common.zoo.sprites_t2v.prompts import EVALUATION, evaluation_prompts

SETTINGS = {"small": 8, "full": 300}  # setting -> prompts of each set, at most
SHAPE = {"num_frames": 17, "height": 64, "width": 64}
SAMPLER = {"num_inference_steps": 20, "guidance_scale": 3.0}
BATCH = 8


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: the transformer.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        Names such as `held_out/shape`. The sets: `one_object`, new scenes of known combinations; `held_out`,
        combinations never trained on; `two_objects`; `image`, clips of `one_object` with the world's first frame
        given, where `image/psnr` is that of the first frame, in dB. Of each the reader's attributes; of `two_objects`
        besides `each_shape` and so on, which count objects where the others count clips in which both are right.

    Raises:
        ValueError: there is no such setting.
    """
    most = pick_setting(SETTINGS, setting)
    pipe = TextToVideoPipeline(model, CausalVideoVAE.from_pretrained(VAE).float().eval().to(model.device))
    pipe.set_progress_bar_config(disable=True)
    asked = {name: evaluation_prompts(name)[:most] for name in EVALUATION}
    total, done, found = sum(map(len, asked.values())) + 2 * len(asked["one_object"]), 0, {}

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done / total)

    for name, prompts in asked.items():
        read, _ = read_clips(pipe, prompts, None, advance)
        split, num_objects, _ = EVALUATION[name]
        sides = {"": accuracy(prompts, read), "shuffled/": accuracy(prompts[1:] + prompts[:1], read),
                 "chance/": chance_agreement(num_objects, split=split)}  # fmt: skip
        found |= {f"{side}{name}/{attribute}": value for side, row in sides.items() for attribute, value in row.items()}
        if num_objects == 2:
            by_object = object_accuracy(prompts, read)
            found |= {f"{name}/each_{attribute}": value for attribute, value in by_object.items()}
    prompts = asked["one_object"]
    world = SpriteData("test", SHAPE["num_frames"], SHAPE["height"], num_objects=1).batch(range(len(prompts)))
    images = world.clips()[:, :, 0]  # (N, 3, H, W)
    read, errors = read_clips(pipe, prompts, images, advance)
    found |= {f"image/{attribute}": value for attribute, value in accuracy(prompts, read).items()}
    found["image/psnr"] = float((10 * torch.log10(4 / torch.stack(errors))).mean())
    fresh = TextToVideoPipeline(fresh_model(model), pipe.vae)
    fresh.set_progress_bar_config(disable=True)
    read, _ = read_clips(fresh, prompts, None, advance)
    return found | {f"untrained/one_object/{attribute}": value for attribute, value in accuracy(prompts, read).items()}


def read_clips(pipe, prompts: Sequence[str], images: torch.Tensor | None, advance: Callable[[int], None]):
    """What clips of these prompts show, and the squared error of each first frame to the image that was given."""
    read, errors = [], []
    for start in range(0, len(prompts), BATCH):
        batch = list(prompts[start : start + BATCH])
        image = None if images is None else images[start : start + BATCH]
        clips = pipe(batch, image, **SHAPE, **SAMPLER, generator=seeds(start, len(batch))).frames.cpu()
        read += read_sprites(clips)
        if image is not None:
            errors += list((clips[:, :, 0] - image).square().flatten(1).mean(dim=1))
        advance(len(batch))
    return read, errors


def seeds(first: int, count: int) -> list[torch.Generator]:
    """Each clip's noise is its number's: the same, whatever it is made together with."""
    return [torch.Generator().manual_seed(first + i) for i in range(count)]


def fresh_model(model) -> VideoDiT:
    """A model of the same size with fresh weights."""
    torch.manual_seed(0)
    return VideoDiT.from_config(model.config).to(model.device).eval()
