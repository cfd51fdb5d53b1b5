"""The doubles of lab 03.3 are what they say."""

import torch

from common.course.graders.inflating import IMAGE, NEW, Formula, inflated, loss_of, models, moved_name
from common.course.graders.wording import brief


def test_names_move_into_the_spatial_residual_block_and_no_others_move():
    assert moved_name("up_blocks.1.resnets.12.norm1.weight") == "up_blocks.1.resnets.12.spatial_res_block.norm1.weight"
    assert moved_name("mid_block.attentions.0.proj_in.weight") == "mid_block.attentions.0.proj_in.weight"


def test_inflated_weights_are_the_image_s_in_their_places_and_zeros_in_further_channels():
    image, video = models(3, extra=2)
    found = inflated(image, video)
    assert list(found) == list(video)
    assert all(torch.equal(found[name], video[name].double()) for name in NEW)
    assert all(torch.equal(found[moved_name(name)], image[name].double()) for name in IMAGE if name != "conv_in.weight")
    assert torch.equal(found["conv_in.weight"][:, :3], image["conv_in.weight"].double())
    assert not found["conv_in.weight"][:, 3:].any()
    part = inflated({"conv_out.bias": image["conv_out.bias"]}, video)
    assert torch.equal(part["conv_in.weight"], video["conv_in.weight"].double())


def test_the_loss_of_a_perfect_estimate_is_zero_and_what_is_dropped_is_not_seen():
    x0 = torch.zeros(2, 3, 2, 2, 2)
    given = (torch.ones(2), torch.ones(2, 3, 2, 2), torch.ones(2, 4, 5), torch.zeros(2, 3), torch.zeros(1, 4, 5))
    nothing, everything = torch.zeros(2).bool(), torch.ones(2).bool()
    silent = Formula(gain=0.0)
    assert torch.equal(loss_of(silent, x0, x0, *given, everything, everything), torch.zeros(2).double())
    assert (loss_of(silent, x0, x0, *given, nothing, everything) > 0).all()
    assert (loss_of(silent, x0, x0, *given, everything, nothing) > 0).all()


def test_many_tensors_are_described_by_their_number():
    assert brief({str(k): torch.zeros(2) for k in range(5)}) == "a dict of 5 tensors"
    assert brief({"a": torch.zeros(1)}) == "{'a': [0.0]}"
