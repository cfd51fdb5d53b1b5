"""The statistics in a config are those of all latents at once, and normalize makes them 0 and 1."""

import pytest
import torch

from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.tensor_ops import from_uint8
from common.training.latent_statistics import record_latent_statistics


class Numbered:
    """Clip `i` is noise of the seed `i`, brighter from clip to clip."""

    def batch(self, indices):
        clips = [torch.randint(0, 180, (3, 5, 16, 24), generator=torch.Generator().manual_seed(i)) for i in indices]
        return torch.stack([clip + 4 * i for clip, i in zip(clips, indices)]).to(torch.uint8)


def test_they_are_those_of_all_latents_at_once():
    torch.manual_seed(0)
    model = CausalVideoVAE(**PRESETS["ci"]).eval()
    record_latent_statistics(model, Numbered(), 16)
    with torch.no_grad():
        z = model.encode(from_uint8(Numbered().batch(range(16)))).latent_dist.mode()
    assert torch.allclose(torch.tensor(model.config.latents_mean), z.mean(dim=(0, 2, 3, 4)), atol=1e-4)
    std = z.std(dim=(0, 2, 3, 4), correction=0)
    assert torch.allclose(torch.tensor(model.config.latents_std), std, atol=1e-4)
    normal = model.normalize(z)
    assert normal.mean().abs() < 1e-3 and (normal.std(dim=(0, 2, 3, 4)) - 1).abs().max() < 1e-2


@pytest.mark.parametrize("count", [0, 4, 12])
def test_a_number_of_clips_that_leaves_some_out_is_refused(count):
    with pytest.raises(ValueError, match=f"got {count}"):
        record_latent_statistics(CausalVideoVAE(**PRESETS["ci"]), Numbered(), count)
