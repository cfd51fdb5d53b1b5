"""`sprites-dose`: at first it is `sprites-svd`, its world is as told, its ruler reads what the world drew."""

import pytest
import torch

from common.data.sprites.render import render
from common.models.inflated_model import InflatedUNet
from common.training import KeyedNoise
from common.zoo.sprites_dose import measures, study
from common.zoo.sprites_dose.clips import CAMERA, NUM_FRAMES, OBJECT, ManySpeeds, buckets, scores, with_speeds
from common.zoo.sprites_dose.recipe import (
    ARMS,
    asked,
    build_model,
    compute_loss,
    doses_for,
    ids_of,
    measured_speeds,
    recipe_of,
)


def test_scenes_are_known_by_number_and_move_as_they_should():
    scenes = ManySpeeds("train").scenes(range(16))
    assert scenes[3:5] == ManySpeeds("train").scenes([3, 4])
    moving = scores(scenes) > 0
    assert moving[:8].sum(dim=0).tolist() == [6, 5] and not moving[4].any()
    assert not {scene.index for scene in scenes} - set(range(16))
    found = scores(ManySpeeds("train").scenes(range(400)))
    for k, speed in enumerate((OBJECT, CAMERA)):
        values = found[found[:, k] > 0, k] / speed
        assert 0.25 <= values.min() < 0.3 and 1.8 < values.max() <= 2.0


@pytest.mark.parametrize("moving", ["object", "camera", "both"])
def test_the_ruler_reads_what_the_world_drew(moving):
    clips = asked(6, moving)
    due, found = scores(clips.scenes), measured_speeds(clips.clips())
    assert (found - due).abs().max() < 0.06 and (found - due).abs().median() < 0.008


def test_an_object_that_is_not_seen_has_no_speed():
    empty = torch.zeros(1, 3, 4, 64, 64)
    found = measured_speeds(empty)
    assert found[0, 0].isnan() and found[0, 1] < 0.01


@torch.no_grad()
def test_at_first_it_is_sprites_svd():
    model, svd = build_model("cpu").eval(), InflatedUNet.from_pretrained("sprites-svd")
    x, states = torch.randn(1, 4, 32, 8, 8), torch.randn(1, 5, 384)
    ids = ids_of(torch.tensor([[200.0, 10.0]]), torch.tensor([0.02]))
    found = model(x, torch.tensor([0.3]), states, ids).sample
    assert torch.allclose(found, svd(x, torch.tensor([0.3]), states, ids[:, :3]).sample, atol=1e-4)


def test_arms_are_told_other_doses():
    given = torch.tensor([[0.12, 0.0], [0.48, 0.1], [0.0, 0.34]])
    two, one, shuffled = (doses_for(given, arm) for arm in ARMS)
    assert torch.equal(two, buckets(given)) and two[0, 1] == 0 and two[1, 0] == 255
    assert torch.equal(shuffled, two.roll(1, dims=0))
    assert not one[:, 1].any() and one[0, 0] < one[2, 0] < one[1, 0]
    assert recipe_of("one").name == "sprites-dose-one"


def test_some_steps_on_one_batch_lower_its_loss():
    torch.manual_seed(0)
    model = build_model("ci")
    batch = {"latents": torch.randn(4, 16, NUM_FRAMES, 4, 4), "states": torch.randn(5, 7, 384),
             "scores": scores(ManySpeeds("train").scenes(range(4)))}  # fmt: skip
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 2e-3)
    losses = []
    for _ in range(10):
        losses.append(compute_loss(model, batch, KeyedNoise(0, range(4)))["loss"])
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.95 * losses[0]


def test_the_world_itself_does_as_it_is_told():
    doses = (40, 128, 220)
    for k, thing in enumerate(study.THINGS):
        told = study.speeds_of(torch.tensor(doses).float()[:, None].expand(-1, 2))[:, k].expand(3, -1)
        found = measures.named(thing, told, measures.world(thing, 3, doses))
        assert found[f"{thing}/spearman"] == 1 and found[f"{thing}/error"] < 0.06


def test_speeds_are_changed_where_something_moves():
    scene = ManySpeeds("train").scenes([4])[0]
    assert scores([with_speeds(scene, 0.3, 0.3)]).tolist() == [[0.0, 0.0]]
    assert render([scene], 2).clips().shape == (1, 3, 2, 64, 64)
