from types import SimpleNamespace

import pytest
import torch

from common.models.skipped_frames import SkippedFrames
from common.zoo.mini_arm import ARMS, SHAPES, MiniCoder, frames_apart


class Halves:
    """A VAE of images: the latents are the pixels of every second column, twice as large."""

    def encode(self, images):
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: 2 * images[..., ::2]))

    def decode(self, latents):
        return SimpleNamespace(sample=latents.repeat_interleave(2, dim=-1) / 2)


def mean(a, b):
    return (a + b) / 2


@pytest.mark.parametrize("num_halvings", [0, 1, 2])
def test_what_is_linear_in_time_comes_back_and_kept_frames_do_always(num_halvings):
    coder = SkippedFrames(Halves(), mean, num_halvings)
    start, slope = torch.randn(2, 2, 3, 1, 4, 3, generator=torch.Generator().manual_seed(0)).repeat_interleave(
        2, dim=-1
    )
    clips = start + slope * torch.arange(2 * coder.stride + 1)[:, None, None]
    latents = coder.encode(clips)
    assert latents.shape == (2, 3, 3, 4, 3) and torch.allclose(coder.decode(latents), clips, atol=1e-5)
    bent = clips**2
    made = coder.decode(coder.encode(bent))
    assert torch.allclose(made[:, :, :: coder.stride], bent[:, :, :: coder.stride], atol=1e-5)
    assert num_halvings == 0 or (made - bent).abs().max() > 0.1


def test_a_clip_whose_last_frame_would_be_lost_is_refused():
    with pytest.raises(ValueError, match="got 8"):
        SkippedFrames(Halves(), mean).encode(torch.zeros(1, 3, 8, 4, 4))


def test_skipped_frames_have_as_many_tokens_as_the_video_vae_and_lose_the_frames_between():
    assert SHAPES["skipped"] == SHAPES["video"]
    coder = MiniCoder("skipped")
    clip = torch.rand(1, 3, 9, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    other = clip.clone()
    other[:, :, [1, 2, 3, 5, 6, 7]] = 0
    with torch.no_grad():
        latents = coder.encode(clip)
        assert latents.shape[1:] == SHAPES["skipped"] and torch.equal(latents, coder.encode(other))
        assert coder.decode(coder.normalize(latents)).shape == clip.shape


def test_the_control_keeps_frames_apart_before_and_after_a_step():
    torch.manual_seed(0)
    model = frames_apart()
    assert ARMS["stdit-apart"]["build_model"] is frames_apart
    torch.nn.init.normal_(model.patches_out.weight)
    for block in model.spatial_blocks:
        torch.nn.init.normal_(block.table)
    x, text = torch.randn(1, 16, 3, 4, 4), torch.randn(1, 2, 384)
    changed = x.clone()
    changed[:, :, 0] += 1
    run = lambda x: model(x, torch.tensor([300.0]), text).sample  # noqa: E731
    optimizer = torch.optim.SGD([part for part in model.parameters() if part.requires_grad], lr=1e-3)
    run(x).square().mean().backward()
    optimizer.step()
    moved = (run(changed) - run(x)).abs().amax((0, 1, 3, 4))
    assert moved[0] > 1e-4 and moved[1:].max() == 0
