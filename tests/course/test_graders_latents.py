"""The doubles of lab 09.3: every part of the formula counts, and its codebooks have what an update must handle."""

import pytest
import torch

from common.course.graders import latents
from common.layers.vector_quantizer import VectorQuantizer


def test_every_part_of_the_formula_has_a_gradient_of_its_own():
    model, clip = latents.films(3, 2, 2, 3, 4, 5)
    past, following = clip[:, :, :-1], clip[:, :, -1]
    codes, _ = model.quantize(model.encode(past, following))
    model.decode(past, codes).square().sum().backward()
    assert all(parameter.grad.all() for parameter in model.parameters()) and len(model.calls) == 1


def test_the_twin_says_the_same_in_double_precision():
    model, clip = latents.films(5, 3, 1, 4, 2, 3)
    twin = model.double_twin()
    a = model.encode(clip[:, :, :-1], clip[:, :, -1])
    b = twin.encode(clip[:, :, :-1].double(), clip[:, :, -1].double())
    assert b.dtype == torch.float64 and torch.allclose(a.double(), b, atol=1e-5)


@pytest.mark.parametrize("change", ["past", "next frame", "codes"])
def test_what_does_not_fit_is_said(change):
    model, clip = latents.films(3, 2, 2, 3, 4, 5)
    past, following = clip[:, :, :-1], clip[:, :, -1]
    with pytest.raises(AssertionError, match=change):
        if change == "codes":
            model.decode(past, torch.zeros(2, 4))
        elif change == "past":
            model.encode(clip, following)
        else:
            model.encode(past, following[:1])


def test_some_codes_of_a_codebook_are_dead_and_some_are_not():
    for seed in range(4):
        row = latents.codebooks(seed, 7, 3, 20, 6, 0.9, 0.5)
        *_, revived = latents.updated(VectorQuantizer)(*row)
        assert 1 <= revived < 7


def test_the_codebook_of_the_library_finds_the_clouds():
    assert latents.error_after(VectorQuantizer, 7) < 1.3


def test_probabilities_add_up_and_one_may_never_come():
    found, chances = latents.tables(1, 6, 4, never=2)
    assert found.shape == (6, 4) and sum(chances) == pytest.approx(1) and chances[2] == 0


def test_the_last_code_is_never_seen():
    codes, actions, num_codes = latents.labelled(2, 90, 5, 3)
    assert num_codes == 5 and int(codes.max()) < 4 and int(actions.max()) < 3
