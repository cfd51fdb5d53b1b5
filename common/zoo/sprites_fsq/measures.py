"""How good `sprites-fsq` is: all that the card of `sprites-vae` says, the gap to it, and how the codebook is used.

Tokens are counted over held-out clips, whose attribute combinations were never trained on. A perplexity depends on how
many there are: it cannot be above the number of tokens, 320 per clip.
"""

from collections.abc import Callable

import torch

from common.data.sprites import SpriteData
from common.evaluation.codebook import codebook_perplexity, codebook_usage, level_usage
from common.evaluation.reconstruction import Reconstruction
from common.models.autoencoder import CausalVideoVAE
from common.zoo.settings import pick_setting
from common.zoo.sprites_vae import measures as reconstruction
from common.zoo.sprites_vae.measures import restored

SETTINGS = {"small": 64, "full": 5000}  # setting -> clips whose tokens are counted
TWIN = "sprites-vae"
BATCH = 8


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: a `CausalVideoFSQ`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        What `common.zoo.sprites_vae.measures` finds; `twin/psnr`, that of `sprites-vae` on the same held-out clips, and
        `twin/gap`, how many dB it is ahead; and of the tokens: `tokens/levels_used`, the number of levels that occur,
        all channels together, `tokens/rarest_level`, the smallest share that a level has in its channel,
        `tokens/codes_used`, the number of codes that occur, and `tokens/perplexity`.

    Raises:
        ValueError: there is no such setting.
    """
    num_clips, advance = pick_setting(SETTINGS, setting), progress or (lambda part: None)
    found = reconstruction.measure(model, setting, lambda part: advance(0.6 * part))
    found["twin/psnr"] = twin_psnr(setting, model.device)
    found["twin/gap"] = found["twin/psnr"] - found["held_out/psnr"]
    data, tokens = SpriteData("held_out", *reconstruction.SHAPE), []
    for start in range(0, num_clips, BATCH):
        batch = data.batch(range(start, min(start + BATCH, num_clips)))
        tokens.append(model.tokenize(batch.clips().to(model.device)).cpu())
        advance(0.7 + 0.3 * start / num_clips)
    return found | token_measures(torch.cat(tokens), model.quantizer.levels)


def twin_psnr(setting: str, device) -> float:
    """PSNR of `sprites-vae` on the held-out clips on which the reconstruction is measured, dB."""
    twin, video = CausalVideoVAE.from_pretrained(TWIN).float().eval().to(device), Reconstruction()
    data, count = SpriteData("held_out", *reconstruction.SHAPE), reconstruction.SETTINGS[setting][0]
    for start in range(0, count, BATCH):
        clips = data.batch(range(start, min(start + BATCH, count))).clips().to(device)
        video.add(restored(twin, clips), clips)
    return video.result()["psnr"]


def token_measures(tokens: torch.Tensor, levels) -> dict[str, float]:
    """How tokens `(B, T', H', W')` use the codebook of these levels; names as in `measure`."""
    shares, size = torch.cat(level_usage(tokens, levels)), torch.tensor(levels).prod().item()
    return {
        "tokens/levels_used": float((shares > 0).sum()),
        "tokens/rarest_level": float(shares.min()),
        "tokens/codes_used": codebook_usage(tokens, size) * size,
        "tokens/perplexity": codebook_perplexity(tokens, size),
    }
