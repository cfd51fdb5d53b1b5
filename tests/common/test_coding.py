"""Rate and distortion: the entropy of known distributions, and H.264 between its worst and its best quality."""

import math

import pytest
import torch

from common.evaluation import coding
from common.evaluation.coding import h264, h264_psnr, ideal_bits
from common.evaluation.reconstruction import clip_psnr


@pytest.fixture(scope="module")
def clips():
    """Two clips `(3, 5, 32, 48)`: a bright ramp that moves, with a little grain."""
    torch.manual_seed(0)
    columns = torch.linspace(0, 6, 48)[None, None, None] + torch.arange(5.0)[None, :, None, None] / 3
    ramp = torch.sin(columns + torch.arange(3.0)[:, None, None, None]).expand(3, 5, 32, 48)
    return [(0.8 * ramp + 0.1 * torch.randn(3, 5, 32, 48)).clamp(-1, 1) for _ in range(2)]


def test_the_entropy_of_known_channels():
    """Four equal shares take 2 bits per number, one value none; channels do not share a table, clips do."""
    fair, constant = torch.arange(64.0).reshape(1, 8, 8) % 4, torch.full((1, 8, 8), 7.0)
    assert ideal_bits([torch.cat([fair, constant])]) == pytest.approx(128)
    assert ideal_bits([torch.cat([fair, fair + 100])]) == pytest.approx(256)
    assert ideal_bits([constant, constant + 1]) == pytest.approx(128)  # one bit for each: which clip it is


def test_h264_gives_a_clip_back_and_more_bits_give_more(clips):
    found = {crf: h264(clips[0], crf) for crf in (0, 20, 45)}
    quality = [float(clip_psnr(back[None], clips[0][None], data_range=2.0)) for back, _ in found.values()]
    assert all(back.shape == clips[0].shape for back, _ in found.values())
    assert quality[0] > quality[1] > quality[2] and quality[0] > 40
    assert found[0][1] > 2 * found[20][1] > 2 * found[45][1]


def test_between_two_settings_psnr_is_interpolated_in_the_logarithm_of_the_bits(clips, monkeypatch):
    """A coder of known errors: one step of quality takes half the bits, and 6.02 dB of every clip."""
    tried = []

    def known(clip, crf):
        tried.append(crf)
        return clip + 0.001 * 2.0 ** (crf / 4), 2 ** (20 - crf // 4)

    monkeypatch.setattr(coding, "h264", known)
    quality = {crf: 20 * math.log10(2 / (0.001 * 2.0 ** (crf / 4))) for crf in range(52)}
    assert h264_psnr(clips, 2 * 8 * 2**15) == pytest.approx(quality[20], abs=1e-3)
    between = h264_psnr(clips, 2 * 8 * 2**15 * 2**0.5)  # half way from crf 20 to 19
    assert between == pytest.approx((quality[19] + quality[20]) / 2, abs=1e-3)
    assert len(tried) < 2 * 2 * 9, "it is searched by halving, not by trying all"


def test_bits_that_no_quality_takes_are_refused(clips, monkeypatch):
    monkeypatch.setattr(coding, "h264", lambda clip, crf: (clip, 1000 - crf))
    for bits in (8, 1e9):
        with pytest.raises(ValueError, match=r"H\.264 takes 15184 to 16000 bits"):
            h264_psnr(clips, bits)
