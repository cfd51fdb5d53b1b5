"""Where the last stage of `sprites-fsq` looks more closely: on objects and one pixel around them."""

import torch

from common.data.sprites import SpriteData
from common.zoo.sprites_fsq.objects import ClipsAndObjects, importance
from common.zoo.sprites_fsq.recipe import compute_loss
from common.zoo.sprites_vae.recipe import SpritesAndFilm


def test_the_clips_are_those_of_the_stages_before():
    batch = ClipsAndObjects(5, 32).batch(range(8))
    assert batch.shape == (8, 4, 5, 32, 32)
    assert torch.equal(batch[:, :3], SpritesAndFilm(5, 32).batch(range(8)))


def test_the_fourth_channel_is_where_objects_are():
    batch = ClipsAndObjects(5, 32).batch(range(8))
    masks = SpriteData(num_frames=5, size=32).truth(range(7)).masks.amax(dim=1)  # (7, T, H, W)
    assert torch.equal(batch[:7, 3] > 0, masks > 0)
    assert not batch[7, 3].any()  # film: clip 7 of every 8


def test_importance_reaches_one_pixel_beyond_an_object():
    pixels = torch.zeros(1, 4, 2, 9, 9, dtype=torch.uint8)
    pixels[0, 3, 1, 4, 4] = 255  # one pixel of the second frame
    found = importance(pixels, weight=3.0)
    expected = torch.ones(1, 1, 2, 9, 9)
    expected[:, :, 1, 3:6, 3:6] = 4
    assert torch.equal(found, expected)


class Dark:
    """Gives back the clip, darker at one pixel of every frame."""

    def __init__(self, row, column):
        self.place = row, column

    def __call__(self, clips):
        changed = clips.clone()
        changed[..., self.place[0], self.place[1]] -= 0.5
        return type("Output", (), {"sample": changed})()


class Noise:
    def integers(self, name, limit):
        return torch.zeros(1, dtype=torch.long)


def test_an_error_on_an_object_costs_more_than_one_beside_it():
    pixels = torch.zeros(1, 4, 3, 9, 9, dtype=torch.uint8)
    pixels[0, 3, :, 1, 1] = 255
    on, off = (compute_loss(Dark(*place), pixels, Noise())["loss"] for place in ((1, 1), (7, 7)))
    assert on > off
    plain = [compute_loss(Dark(*place), pixels[:, :3], Noise())["loss"] for place in ((1, 1), (7, 7))]
    assert plain[0] == plain[1] == off
