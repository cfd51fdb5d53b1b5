"""What doses do: pictures of test clips, each animated at several doses, the speeds read from what came out.

Rows are pictures, columns are doses. Beside the trained model: `sprites-svd`, told the same by its own motion bucket.
"""

import copy
from collections.abc import Callable

import torch
from torch import nn

from common.data.sprites.render import SpriteBatch
from common.diffusion.image_to_video import i2v_loss
from common.models.inflated_model import InflatedUNet
from common.zoo.sprites_dose.clips import LAST_BUCKET, buckets, scores, speeds_of
from common.zoo.sprites_dose.recipe import animate, asked, ids_of, measured_speeds
from common.zoo.sprites_svd.first_steps import coded, levels

DOSES = (15, 60, 105, 150, 195, 240)  # buckets
THINGS = ("object", "camera")
MIDDLE = 128  # of what is not asked about, where both move


class NoSinusoids(nn.Module):
    """What takes the place of a model's own sinusoids: the numbers as they are."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Numbers to the same."""
        return ids


def with_own_conditioning(model: InflatedUNet, kind: Callable) -> InflatedUNet:
    """A copy of a model that is told its numbers by another class, with the same weights.

    Args:
        model: it is left alone.
        kind: called as `MicroConditioning` is.
    """
    copied, dim = copy.deepcopy(model), model.config.addition_time_embed_dim
    layer = copied.add_embedding.linear_1
    own = kind(layer.in_features // dim, dim, layer.out_features)
    own.load_state_dict(copied.add_embedding.state_dict())
    copied.add_time_proj, copied.add_embedding = NoSinusoids(), own.to(layer.weight.dtype).eval()
    return copied


@torch.no_grad()
def mean_loss(model: InflatedUNet, clips: SpriteBatch, doses: torch.Tensor, seed: int = 0) -> float:
    """The mean loss of clips, told these doses `(B, 2)`: by the same noise whatever is told.

    Args:
        model: told five numbers.
        clips: B of them, with their captions and first frames.
        doses: buckets from 0 to 255.
        seed: of the noise.
    """
    given, generator = coded(clips), torch.Generator().manual_seed(seed)
    sigma = levels((torch.arange(len(doses)) + 0.5) / len(doses))
    nothing = torch.zeros(len(doses), dtype=torch.bool)
    eps = torch.randn(given.x0.shape, generator=generator)
    return i2v_loss(model, given.x0, eps, sigma, given.picture, given.states, ids_of(doses, torch.zeros(len(doses))),
                    given.no_states, nothing, nothing).mean().item()  # fmt: skip


def dose_gain(kind: Callable, seed: int = 0, num_clips: int = 6) -> float:
    """What doses are worth: the loss of the shipped model, told its clips' own, by that told the opposite ones.

    Args:
        kind: in place of `MicroConditioning`.
        seed: of the noise.
        num_clips: in which object and camera move.
    """
    model = with_own_conditioning(InflatedUNet.from_pretrained("sprites-dose"), kind)
    clips = asked(num_clips, "both")
    own = buckets(scores(clips.scenes))
    return mean_loss(model, clips, own, seed) / mean_loss(model, clips, LAST_BUCKET - own, seed)


@torch.no_grad()
def response(model: InflatedUNet, moving: str, num_pictures: int, doses=DOSES, which: int | None = None,
             single: bool = False, **changed) -> dict[str, torch.Tensor]:  # fmt: skip
    """What comes out of a model that is told one dose after the other.

    Args:
        model: told five numbers, or three: then the dose is its motion bucket.
        moving: what moves in the captions: "object", "camera" or "both".
        num_pictures: P.
        doses: K buckets.
        which: the dose that changes, 0 for the object's and 1 for the camera's; None for what moves alone.
        single: the model was trained with one dose for all motion, which is the first; the second stays 0.
        changed: settings of the pipeline.

    Returns:
        `asked`: speeds `(P, K)`; `object` and `camera`: measured speeds `(P, K)`, heights per second.
    """
    clips, which = asked(num_pictures, moving), THINGS.index(moving) if which is None else which
    asked_speeds = speeds_of(torch.tensor(doses).float()[:, None].expand(-1, 2))[:, which]
    columns = []
    for dose in doses:
        told = torch.full((num_pictures, 2), float(MIDDLE if moving == "both" and not single else 0))
        told[:, 0 if single else which] = dose
        if model.config.projection_class_embeddings_input_dim == 3 * model.config.addition_time_embed_dim:
            made = animate(model, clips, None, motion_bucket_id=dose, **changed)
        else:
            made = animate(model, clips, told, **changed)
        columns.append(measured_speeds(made))
    measured = torch.stack(columns, dim=1)  # (P, K, 2)
    measured = torch.where(measured.isnan(), 0.0, measured)  # an object that is lost has gone nowhere that can be told
    return {
        "asked": asked_speeds.expand(num_pictures, -1).clone(),
        "object": measured[..., 0],
        "camera": measured[..., 1],
    }
