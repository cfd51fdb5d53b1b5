"""Vector quantization: nearest rows, a gradient that passes, a codebook that follows, and dead codes that come back."""

import pytest
import torch

from common.layers.vector_quantizer import VectorQuantizer, vector_quantize


def noise(seed: int, *size: int) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def test_every_row_becomes_the_nearest_code():
    z, codebook = noise(0, 50, 3), noise(1, 7, 3)
    codes, indices = vector_quantize(z, codebook)
    by_hand = [min(range(7), key=lambda k: float((codebook[k] - row).square().sum())) for row in z]
    assert indices.tolist() == by_hand and torch.allclose(codes, codebook[indices])


def test_codes_are_their_own_codes():
    codebook = noise(0, 6, 4)
    codes, indices = vector_quantize(codebook, codebook)
    assert torch.equal(indices, torch.arange(6)) and torch.equal(codes, codebook)


def test_the_gradient_passes_to_z_and_not_to_the_codebook():
    z, codebook, above = noise(0, 5, 2).requires_grad_(), noise(1, 3, 2).requires_grad_(), noise(2, 5, 2)
    (vector_quantize(z, codebook)[0] * above).sum().backward()
    assert torch.equal(z.grad, above) and codebook.grad is None


def test_a_codebook_ends_at_the_means_of_those_who_choose_it():
    quantizer = VectorQuantizer(2, 1, decay=0.8)
    quantizer.codebook.copy_(torch.tensor([[-1.0], [1.0]]))
    z = torch.tensor([[-3.0], [-5.0], [2.0]])
    for _ in range(100):
        quantizer.update(z, quantizer(z)[1], z[:0])
    assert quantizer.codebook.flatten().tolist() == pytest.approx([-4, 2], abs=1e-4)
    assert quantizer.counts.tolist() == pytest.approx([2, 1], abs=1e-4)


def test_a_dead_code_is_put_on_a_vector_of_the_batch_and_stays_there():
    quantizer = VectorQuantizer(3, 2, decay=0.5, least=0.2)
    quantizer.codebook.copy_(torch.tensor([[0.0, 0.0], [90.0, 0.0], [0.0, 90.0]]))
    quantizer.sums.copy_(quantizer.codebook)
    z, revived = noise(0, 8, 2), 0
    while not revived:
        revived = quantizer.update(z, quantizer(z)[1], z)
    assert revived == 2 and torch.equal(quantizer.codebook[1:], z[:2])
    assert torch.equal(quantizer.sums[1:], z[:2]) and quantizer.counts[1:].tolist() == [1, 1]


def test_without_candidates_nothing_is_revived():
    quantizer, z = VectorQuantizer(4, 2, decay=0.1, least=5.0), noise(0, 6, 2)
    assert quantizer.update(z, quantizer(z)[1], z[:0]) == 0
    assert quantizer.update(z, quantizer(z)[1], z[:1]) == 1


def test_an_update_carries_no_gradient():
    quantizer, z = VectorQuantizer(4, 2), noise(0, 6, 2).requires_grad_()
    quantizer.update(z, quantizer(z)[1], z)
    assert not any(buffer.requires_grad for buffer in quantizer.buffers())
