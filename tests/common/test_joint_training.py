"""Joint image and video training: packed pictures are apart, ratios are kept, and forgetting is counted in pairs."""

import itertools
import re

import pytest
import torch

from common.data.mini.joint import KINDS, PICTURE_ONLY, VIDEO_COLORS, JointSprites
from common.diffusion.joint_loss import loss_by_kind
from common.evaluation.forgetting import forgetting
from common.evaluation.sprite_reader import agreement, read_sprites
from common.layers.packed_images import images_as_clips, present_mask
from common.models.dit import VideoDiT
from common.models.joint_dit import JointDiT
from common.training.keyed_noise import KeyedNoise
from common.training.mixed_batches import mix_batches
from common.zoo.joint_arm import ARMS, JOINT, joint_loss, joint_recipe
from common.zoo.joint_latents import JointLatents
from common.zoo.joint_measures import moves_as_asked

TINY = {"in_channels": 4, "dim": 24, "num_layers": 2, "num_heads": 2, "ffn_dim": 20, "text_dim": 6, "freq_dim": 8}


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def filled(kind, **config):
    """A model with every weight random."""
    model = kind(**TINY | config).eval()
    for k, parameter in enumerate(model.parameters()):
        parameter.data = 0.4 * noise(k, *parameter.shape)
    return model.requires_grad_(False)


def test_masked_pictures_in_one_clip_get_what_each_gets_alone():
    model, pictures = filled(JointDiT), noise(0, 4, 4, 4, 6)
    levels, states = torch.tensor([100.0, 400.0, 600.0, 900.0]), noise(1, 4, 5, 6)
    apart = model(images_as_clips(pictures).clips, levels[:, None], states[:, None]).sample  # (4, 4, 1, 4, 6)
    packed = images_as_clips(pictures, 4)
    mask = present_mask(packed.present, packed.present, tokens_per_frame=6)
    together = model(packed.clips, levels[None], states[None], mask=mask).sample
    torch.testing.assert_close(together[0].movedim(1, 0)[:, :, None], apart, atol=1e-5, rtol=1e-5)
    mixed = model(packed.clips, levels[None], states[None]).sample
    assert (mixed - together).abs().max() > 1e-2


def test_a_clip_beside_masked_pictures_is_the_clip_without_them():
    model, frames = filled(JointDiT), noise(2, 1, 4, 5, 4, 4)
    is_image = torch.tensor([[False, False, False, True, True]])
    mask = present_mask(is_image, torch.ones_like(is_image), tokens_per_frame=4)
    levels, states = torch.full((1, 5), 500.0), noise(3, 1, 3, 6)
    whole = model(frames, levels, states, mask=mask).sample
    clip = model(frames[:, :, :3], levels[:, :3], states).sample
    torch.testing.assert_close(whole[:, :, :3], clip, atol=1e-5, rtol=1e-5)


def test_with_one_prompt_it_is_the_video_transformer():
    ours, theirs = filled(JointDiT), filled(VideoDiT)
    x, t, states = noise(4, 2, 4, 3, 4, 4), torch.tensor([300.0, 800.0]), noise(5, 2, 5, 6)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    torch.testing.assert_close(ours(x, t, states, mask).sample, theirs(x, t, states, mask).sample, atol=1e-5, rtol=1e-5)


def test_the_shipped_size():
    assert sum(p.numel() for p in JointDiT(**JOINT).parameters()) == 897_136


@pytest.mark.parametrize("ratio, size", [(0.125, 4), (0.3, 7), (0.29, 100), (0.0, 3), (1.0, 3)])
def test_a_ratio_is_kept_whatever_the_batch_size(ratio, size):
    batches = itertools.islice(mix_batches(17, 23, ratio, size, torch.Generator().manual_seed(0), 3), 50)
    so_far = 0
    for n, batch in enumerate(batches, start=1):
        so_far += len(batch.pictures)
        assert len(batch.clips) + len(batch.pictures) == size and batch.pictures.shape[1] == 3
        assert -1e-6 <= ratio * n * size - so_far < 1


def test_every_sample_is_taken_once_before_one_is_taken_again():
    batches = list(itertools.islice(mix_batches(10, 9, 0.5, 4, torch.Generator().manual_seed(1), 3), 15))
    clips = torch.cat([batch.clips for batch in batches])[:30].reshape(3, 10)
    pictures = torch.cat([batch.pictures.flatten() for batch in batches])[:90].reshape(10, 9)
    assert (clips.sort(dim=1).values == torch.arange(10)).all()
    assert (pictures.sort(dim=1).values == torch.arange(9)).all()


def test_the_loss_is_the_weighted_mean_of_its_kinds():
    error = noise(6, 3, 2, 4, 3, 3).square()
    is_image = torch.arange(3)[:, None].expand(3, 4) == 2
    found = loss_by_kind(error, is_image, torch.ones_like(is_image), image_weight=0.5)
    torch.testing.assert_close(found.loss, (8 * found.video + 2 * found.image) / 10)
    assert loss_by_kind(error, is_image, ~torch.ones_like(is_image)).loss == 0


def test_the_interval_of_forgetting_is_narrower_in_pairs_and_covers_the_truth():
    generator, covered = torch.Generator().manual_seed(2), 0
    for _ in range(400):
        before = torch.rand(200, generator=generator) < 0.9
        after = before & (torch.rand(200, generator=generator) < 0.9)  # nine points are lost on average
        low, high = forgetting(before, after).interval
        covered += low <= 0.09 <= high
        assert high - low < 2 * 1.96 * (0.09 / 200 + 0.81 * 0.19 / 200) ** 0.5 + 0.02
    assert covered >= 0.92 * 400


def test_only_pictures_show_the_colours_that_clips_do_not():
    seen = {kind: {words.objects[0].color for words in JointSprites(kind).combinations()} for kind in KINDS}
    assert seen["clips"] == {*VIDEO_COLORS} and seen["new clips"] == seen["new pictures"] == {*PICTURE_ONLY}
    assert seen["pictures"] == {*VIDEO_COLORS, *PICTURE_ONLY}
    with pytest.raises(ValueError, match="kind"):
        JointSprites("films")


def test_the_reader_reads_every_clip_and_picture_of_the_world():
    for kind in KINDS:
        batch = JointSprites(kind, "test").batch(range(12))
        seen = read_sprites(batch.clips(), fps=batch.fps)
        for text, one in zip(batch.captions, seen):
            row = agreement(text, one)
            assert all(row[name] for name in ("color", "size", "background_color", "num_objects")), (kind, text)
            assert batch.clips().shape[2] == 1 or moves_as_asked(text, one), (kind, text)
            assert batch.clips().shape[2] == 1 or not moves_as_asked(OTHER_WAY.sub(opposite, text), one)


OTHER_WAY = re.compile("left|right|up|down")


def opposite(found):
    return {"left": "right", "right": "left", "up": "down", "down": "up"}[found[0]]


def test_splits_and_kinds_have_scenes_of_their_own():
    numbers = [JointSprites(kind, split).scenes([0])[0].index for kind in KINDS for split in ("train", "test")]
    assert len({*numbers}) == len(numbers)


class Cache:
    """Captioned latents that were never encoded."""

    def __init__(self, kind, count, frames):
        self.count, self.key, self.captions = count, kind, JointSprites(kind).captions(range(count))
        self.latents = noise(count, count, 16, frames, 8, 8)

    def __len__(self):
        return self.count

    def batch(self, indices):
        rows = list(indices)
        texts = tuple(self.captions[n] for n in rows)
        return type("Batch", (), {"latents": self.latents[rows], "fields": {"captions": texts}})


def states(texts):
    return type("Text", (), {"states": noise(len(texts), len(texts), 4, 384), "mask": torch.ones(len(texts), 4).bool()})


def test_sequences_are_clips_or_packed_pictures_with_their_own_captions():
    clips, pictures = Cache("clips", 6, 4), Cache("pictures", 7, 1)
    data = JointLatents(clips, pictures, states, lambda z: z, picture_ratio=0.25, batch_size=4, num_frames=4,
                        num_steps=5)  # fmt: skip
    batch = data.batch(range(4))
    assert batch["latents"].shape == (4, 16, 4, 8, 8) and batch["is_image"].all(dim=1).tolist() == [False] * 3 + [True]
    captions = sorted({*clips.captions, *pictures.captions})
    for number, (images, rows) in enumerate(data.sequences[:4]):
        cache = pictures if images else clips
        wanted = [cache.captions[n] for n in rows] * (1 if images else 4)
        assert [captions[k] for k in batch["texts"][number]] == wanted
        torch.testing.assert_close(batch["latents"][number, :, 0], cache.latents[rows[0], :, 0])
    model = JointDiT(**JOINT)
    for name, arm in ARMS.items():
        found = joint_loss(model, batch, KeyedNoise(0, range(4)), arm.masked)
        assert found["loss"].isfinite() and found["video"] > 0 and found["image"] > 0
        assert joint_recipe(name).name == f"joint-{name}"
