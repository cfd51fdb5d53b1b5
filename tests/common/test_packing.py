"""Packed sequences give what each gives alone, through attention with places and through whole blocks."""

import pytest
import torch

from common.layers import SelfAttention, rotations
from common.layers.packing import block_diagonal_mask, pack, unpack
from common.models.dit import DiTBlock

GRIDS = [(2, 3, 4), (1, 2, 2), (3, 4, 2)]
DIM, HEADS = 24, 2


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def clips_and_turns():
    lengths = [t * h * w for t, h, w in GRIDS]
    return [torch.randn(n, DIM) for n in lengths], [rotations(grid, DIM // HEADS) for grid in GRIDS]


def test_packed_attention_is_separate_attention():
    attention = SelfAttention(DIM, HEADS)
    clips, turns = clips_and_turns()
    packed = pack(clips)
    together = unpack(attention(packed.tokens, torch.cat(turns), packed.mask)[0], packed.lengths)
    for clip, turn, found in zip(clips, turns, together):
        torch.testing.assert_close(found, attention(clip[None], turn)[0][0], atol=1e-5, rtol=0)


def test_a_packed_block_is_each_block_and_without_the_mask_it_is_not():
    block = DiTBlock(DIM, HEADS, 2 * DIM)
    clips, turns = clips_and_turns()
    packed, signal, text = pack(clips), torch.randn(1, 1, 9 * DIM), torch.randn(1, 5, DIM)
    alone = [block(clip[None, None], signal, text, rotation=turn)[0][0, 0] for clip, turn in zip(clips, turns)]
    for mask, is_same in ((packed.mask, True), (None, False)):
        out, _ = block(packed.tokens[:, None], signal, text, rotation=torch.cat(turns), mask=mask)
        apart = max((a - b).abs().max() for a, b in zip(unpack(out[:, 0], packed.lengths), alone))
        assert (apart < 1e-5) == is_same and (is_same or apart > 1e-2)


def test_the_mask_is_a_square_for_each_sequence():
    assert block_diagonal_mask([1, 2]).int().tolist() == [[1, 0, 0], [0, 1, 1], [0, 1, 1]]
    assert block_diagonal_mask([4]).all() and block_diagonal_mask([3, 5, 2]).sum() == 9 + 25 + 4


def test_unpacking_gives_back_what_was_packed():
    sequences = [torch.randn(n, 3, 2) for n in (4, 1, 6)]
    packed = pack(sequences)
    assert packed.tokens.shape == (1, 11, 3, 2) and packed.lengths == [4, 1, 6]
    assert all(map(torch.equal, unpack(packed.tokens, packed.lengths), sequences))


@pytest.mark.parametrize("sequences", [[], [torch.zeros(2, 3), torch.zeros(0, 3)]])
def test_nothing_cannot_be_packed(sequences):
    with pytest.raises(ValueError, match="lengths"):
        pack(sequences)


@pytest.mark.parametrize("tokens, lengths", [(torch.zeros(1, 5, 2), [2, 2]), (torch.zeros(2, 4, 2), [2, 2])])
def test_unpacking_wants_all_of_one_sequence(tokens, lengths):
    with pytest.raises(ValueError, match="4 tokens of one sequence"):
        unpack(tokens, lengths)
