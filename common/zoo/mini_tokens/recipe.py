"""How `mini-tokens` is trained: the autoregressive arm of the `mini` world, on tokens of `sprites-fsq`.

    flipbook train mini-tokens                     stage "main": a constant learning rate
    flipbook train mini-tokens --stage anneal      from there: the rate falls to zero

Width, depth, texts, clips and batches are those of the default arm, `mini-video`, which is trained by flow matching.
What differs is the latent and the loss: codes in the place of floats, cross-entropy in the place of squares.
"""

import math
from collections.abc import Sequence
from functools import cache

import torch

from common.data.latent_cache import fill, weights_key
from common.data.mini import MiniLatents, MiniSprites
from common.evaluation.mini import mini_accuracy
from common.models.token_autoencoder import CausalVideoFSQ
from common.models.token_transformer import PRESETS, TokenTransformer, generate_codes
from common.runtime import cache_dir
from common.text import TextEncoder
from common.training import Recipe, Settings, Stage
from common.zoo.mini_arm import BATCH, COMMON, NUM_ASKED, NUM_CLIPS, SETTINGS
from common.zoo.mini_objectives import NO_PROMPT_PART

GUIDANCE_SCALE = 2.0
TEMPERATURE = 1.0


@cache
def tokenizer() -> CausalVideoFSQ:
    """The shipped tokenizer."""
    return CausalVideoFSQ.from_pretrained("sprites-fsq").float().eval().requires_grad_(False)


def captioned_codes(num_clips: int = NUM_CLIPS) -> MiniLatents:
    """What the arm is trained on: codes of the training split's first clips, with states of the captions.

    The codes are whole multiples of a half or a quarter, so the cache's float16 holds them exactly. They are encoded
    the first time, which takes about a minute of one core.
    """
    model, name = tokenizer(), weights_key(tokenizer())
    folder = cache_dir() / "latents" / f"mini-train-codes-{name.split()[-1]}"
    encode = lambda batch: model.encode(batch.clips()).latent_dist.mode()  # noqa: E731
    return MiniLatents.load(fill(folder, MiniSprites(), encode, num_clips, encoder=name), TextEncoder.installed())


def compute_loss(model, batch, noise):
    """Cross-entropy of each digit, nats, and the same in bits per token; a tenth of the clips without their prompt.

    Args:
        model: a `TokenTransformer`.
        batch: as `MiniLatents` gives it, codes as latents.
        noise: says which clips have no prompt.
    """
    codes, num_clips = batch["latents"], len(batch["latents"])
    no_prompt = noise.uniform("prompt") < NO_PROMPT_PART  # (B,)
    chosen = torch.arange(num_clips, device=codes.device).masked_fill(no_prompt, num_clips)  # the last text is empty
    nats = model.negative_log_likelihood(codes, batch["states"][chosen], batch["mask"][chosen])  # (B, N, K)
    num_tokens = codes[0, 0].numel()
    return {"loss": nats.mean(), "bits_per_token": nats.detach().sum() / num_clips / num_tokens / math.log(2)}


@torch.no_grad()
def generate(
    model, captions: Sequence[str], guidance_scale: float = GUIDANCE_SCALE, temperature: float = TEMPERATURE
) -> torch.Tensor:
    """A clip for each caption: `(B, 3, 9, 64, 64)` in [-1, 1]. The draws of clip `i` have the seed `i`.

    Args:
        model: a `TokenTransformer`.
        captions: B of them.
        guidance_scale: 1 for none.
        temperature: of the draws.
    """
    text, made = TextEncoder.installed()([*captions, ""]), []
    for start in range(0, len(captions), BATCH):
        chosen = list(range(start, min(start + BATCH, len(captions))))
        rows, seeds = [*chosen, len(captions)], [torch.Generator().manual_seed(i) for i in chosen]
        codes = generate_codes(model, text.states[rows], text.mask[rows], seeds, guidance_scale, temperature)
        made.append(tokenizer().decode(codes).sample.clamp(-1, 1))
    return torch.cat(made)


@torch.no_grad()
def bits_per_token(model, num_clips: int, split: str = "test") -> float:
    """How surprising the tokens of real clips are, given their captions: the mean of -log2 p over clips and tokens.

    Args:
        model: a `TokenTransformer`.
        num_clips: the first ones of the split.
        split: of `MiniSprites`.
    """
    clips, bits = MiniSprites(split).batch(range(num_clips)), 0.0
    text, pixels = TextEncoder.installed()(list(clips.captions)), clips.clips()
    for rows in torch.arange(num_clips).split(BATCH):
        codes = tokenizer().encode(pixels[rows]).latent_dist.mode()
        bits += float(model.negative_log_likelihood(codes, text.states[rows], text.mask[rows]).sum()) / math.log(2)
    return bits / num_clips / codes[0, 0].numel()


def measure(model, preset):
    """The accuracies of `mini_accuracy` on clips for the first captions of the test split, and its real clips' bits."""
    captions = MiniSprites("test", num_frames=1, size=8).batch(range(NUM_ASKED[preset])).captions
    bits = bits_per_token(model, NUM_ASKED[preset])
    return mini_accuracy(captions, generate(model, captions)) | {"test_bits_per_token": bits}


MAIN = {"batch_size": 16, "ema_decay": 0.998, **COMMON}
OFTEN = {"measure_every": 450, "checkpoint_every": 25}
RECIPE = Recipe(
    name="mini-tokens",
    build_model=lambda preset: TokenTransformer(**PRESETS[preset]),
    data=lambda preset: captioned_codes(),
    compute_loss=compute_loss,
    stages={
        "main": Stage(
            {
                "ci": SETTINGS["ci"],
                "cpu": Settings(steps=950, warmup_steps=100, decay="none", **MAIN, **OFTEN),
            }
        ),
        "anneal": Stage(
            {"cpu": Settings(steps=900, decay="linear", first_sample=10**6, **MAIN, **OFTEN)},
            start="main",
        ),
    },
    measure=measure,
)
