"""How `sprites-unet-t2v` is trained: `sprites-image` inflated and frozen, its new layers taught to make clips.

    flipbook train sprites-unet-t2v

It begins with the layers along time of `sprites-svd`, which have learned to make a given picture move. There is no
picture here: the first frame has to be drawn too, and all others have to agree with it. The learned mix of space and
time, which `sprites-svd` has and this model has not, goes into the weights of the last layers and into the gates.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file

from common.data.sprites.render import SpriteBatch
from common.diffusion.video_loss import shift_sigma, video_loss
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.models.frame_vae import FrameVAE
from common.models.shipped import WEIGHTS, find
from common.models.video_unet import VideoUNet
from common.pipelines.unet_text_to_video import UNetTextToVideoPipeline
from common.show import strips
from common.training import KeyedNoise, Recipe, Settings, Stage, muon
from common.zoo.captioned import VAE, CaptionedLatents
from common.zoo.sprites_image.recipe import CHANNELS, SIGMA_STD, UNET
from common.zoo.sprites_svd.clips import captioned_clips
from common.zoo.sprites_svd.recipe import FPS, JUDGED, NUM_CLIPS, SIZES, asked, captions

BASE, TEACHER = "sprites-image", "sprites-svd"
NUM_FRAMES, NUM_LONGER, LATEST_START = 8, 14, 3
NUM_ASKED = {"ci": 2, "cpu": 16, "gpu": 64}
NO_PROMPT_PART = 0.1


def build_model(preset: str) -> VideoUNet:
    """The image model inflated: the shipped one with the layers of `sprites-svd`, or under "ci" a fresh one."""
    if preset == "ci":
        return VideoUNet.of(UNET | {"block_out_channels": CHANNELS["ci"], "sample_size": 4}, num_frames=NUM_LONGER)
    model = VideoUNet.of(BASE, num_frames=NUM_LONGER)
    found = load_file(Path(find(TEACHER)) / WEIGHTS)
    with torch.no_grad():
        for name, parameter in model.new_parameters().items():
            parameter.copy_(from_svd(name, found))
    return model


def from_svd(name: str, found: dict[str, torch.Tensor]) -> torch.Tensor:
    """What the weights of `sprites-svd` say for a new tensor of this model, in float32.

    The mix there gives alpha · x + (1 - alpha) · f(x). Behind a residual block f(x) - x comes from the last
    convolution, which takes 1 - alpha as a factor. Behind a transformer block 1 - alpha is the gate.
    """
    place, own = name.removeprefix("unet.").split(".temporal.")
    if place.endswith(".layer"):
        place = place.removesuffix(".layer")
        tensor = found[f"{place}.temporal_res_block.{own}"].float()
        return tensor * (1 - mix(found, place)) if own.startswith("conv2.") else tensor
    place, block = place.split(".transformer_blocks.")
    if own == "gate":
        return 1 - mix(found, place)
    if own.startswith("positions."):
        _, number, kind = own.split(".")
        return found[f"{place}.time_pos_embed.linear_{int(number) + 1}.{kind}"].float()
    return found[f"{place}.temporal_transformer_blocks.{block}.{own}"].float()


def mix(found: dict[str, torch.Tensor], place: str) -> torch.Tensor:
    """How spatial the learned mix of a block of `sprites-svd` is, `(1,)`."""
    return found[f"{place}.time_mixer.mix_factor"].float().sigmoid()


@dataclass(frozen=True)
class MoreLarge:
    """Three of four samples have a large object before a still camera, and not two: that is where motion is learned.

    Attributes:
        clips: by number, an even one with a large object.
    """

    clips: CaptionedLatents

    @property
    def key(self) -> str:
        return f"{self.clips.key} three of four large"

    def batch(self, indices: Iterable[int]) -> dict:
        """As that of the clips."""
        return self.clips.batch([2 * (3 * (k // 4) + k % 4) if k % 4 < 3 else 2 * (k // 4) + 1 for k in indices])


def training_clips(preset: str) -> MoreLarge:
    """The clips that it learns from, eight frames per second.

    Raises:
        WeightsError: the image model or `sprites-svd` is not there, which is said before clips are drawn.
    """
    if preset != "ci":
        find(BASE), find(TEACHER)
    return MoreLarge(captioned_clips(NUM_CLIPS[preset], *SIZES[preset]))


def compute_loss(model, batch, noise):
    """The loss of clips of 8 frames, the first half of the batch, and of 14 frames, the others."""
    clips, states = batch["latents"], batch["states"]
    half, total = len(clips) // 2, torch.zeros((), device=clips.device)
    for part, num_frames in ((slice(half), NUM_FRAMES), (slice(half, len(clips)), NUM_LONGER)):
        own = KeyedNoise(noise.seed, noise.indices[part], noise.device)
        loss = part_loss(model, clips[part], states[:-1][part], states[-1:], own, num_frames)
        total = total + loss.sum() / len(clips)
    return {"loss": total}


def part_loss(model, clips, states, no_states, noise, num_frames: int) -> torch.Tensor:
    """The loss of each clip `(B,)`, from `num_frames` of its frames that follow each other.

    The noise levels are those of the image model's training, shifted for so many frames.
    """
    room = min(clips.shape[2] - num_frames, LATEST_START)
    start = noise.integers("start", room + 1)
    each = torch.arange(len(clips), device=clips.device)[:, None]
    x0 = clips[each, :, start[:, None] + torch.arange(num_frames, device=clips.device)].movedim(1, 2)
    sigma = shift_sigma((SIGMA_STD * noise.normal("sigma")).exp(), num_frames)
    eps, drop_text = noise.normal("eps", x0.shape[1:]), noise.uniform("prompt") < NO_PROMPT_PART
    return video_loss(model, x0, eps, sigma, states, no_states, drop_text)


def drawn(model, prompts, num_frames: int = NUM_LONGER, seed: int = 0, **changed) -> torch.Tensor:
    """Clips `(B, 3, T, H, W)` for prompts.

    Args:
        model: a `VideoUNet`.
        prompts: B of them.
        num_frames: T.
        seed: of the noise.
        changed: settings in place of the pipeline's own.
    """
    pipe = UNetTextToVideoPipeline(model, FrameVAE.from_pretrained(VAE).to(model.device))
    generator = torch.Generator().manual_seed(seed)
    return pipe(list(prompts), num_frames, generator=generator, **changed).frames


def judge(clips: SpriteBatch, made: torch.Tensor) -> dict[str, float]:
    """What clips show of what was asked for, parts from 0 to 1."""
    right = accuracy([scene.words for scene in clips.scenes], read_sprites(made.cpu(), FPS))
    return {name: right[name] for name in JUDGED}


def measure(model, preset):
    """What a few clips of large objects show of what was asked for, as the reader of the world reads them."""
    clips = asked("large", NUM_ASKED[preset])
    frames = {"ci": 2, "cpu": NUM_LONGER, "gpu": NUM_LONGER}[preset]
    return {f"large/{name}": value for name, value in judge(clips, drawn(model, captions(clips), frames)).items()}


def sheet(model, preset):
    """Clips below those that have their caption."""
    clips = asked("large", {"ci": 1, "cpu": 4, "gpu": 4}[preset])
    rows, made = {}, drawn(model, captions(clips), {"ci": 2}.get(preset, NUM_LONGER)).cpu()
    for prompt, true, found in zip(captions(clips), clips.clips(), made):
        rows |= {f"the world: {prompt}": true[:, : found.shape[1]], f"made: {prompt}": found}
    return strips(rows)


COMMON = {"betas": (0.9, 0.95), "weight_decay": 0.01, "ema_decay": 0.995, "precision": "fp32", "decay": "linear",
          "measure_every": 400, "sheet_every": 400, "checkpoint_every": 25}  # fmt: skip
RECIPE = Recipe(
    name="sprites-unet-t2v",
    build_model=build_model,
    data=training_clips,
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=("positions.0",)),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=6, batch_size=4, learning_rate=5e-3, warmup_steps=2, **COMMON),
                "cpu": Settings(steps=1150, batch_size=16, learning_rate=5e-3, warmup_steps=40, first_sample=5 * 10**6,
                                **COMMON),
                "gpu": Settings(steps=6000, batch_size=64, learning_rate=5e-3, warmup_steps=200,
                                **COMMON | {"precision": "bf16"}),
            }
        ),
    },
    sheet=sheet,
    measure=measure,
)  # fmt: skip
