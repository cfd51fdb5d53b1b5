"""Moving MNIST by the benchmark's rules, on real digits that no two splits share. About two seconds."""

import hashlib
import json
import math
import time

import numpy as np
import pytest
import torch

from common.data import DataError, digits, sources
from common.data.digits import DIGIT, STEP, TEST_SET, DigitData, bounce, handwritten

FREE = 64 - DIGIT  # pixels that a digit's corner can move, each way


# ---- the digits


def test_the_file_is_what_its_card_says():
    folder = sources.datasets_dir() / "digits"
    facts = json.loads((folder / "digits.json").read_text(encoding="utf-8"))
    assert digits.status() == "ok"
    assert (folder / "digits.npz").stat().st_size == facts["bytes"] <= 2_000_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"{facts['bytes'] / 1e6:.2f} MB" in card and "creativecommons.org/licenses/by-sa/3.0" in card
    assert "LeCun" in facts["credit"] and "Cortes" in facts["credit"]
    assert [len(handwritten(split)[1]) for split in digits.SPLITS] == [facts["num_train"], facts["num_test"]]


def test_no_digit_is_in_both_splits_and_none_is_there_twice():
    train, test = ({digit.tobytes() for digit in handwritten(split)[0]} for split in digits.SPLITS)
    assert (len(train), len(test)) == (9000, 1000) and not train & test


def test_every_label_is_in_both_splits_about_as_often():
    for split in digits.SPLITS:
        pixels, labels = handwritten(split)
        assert pixels.shape == (len(labels), DIGIT, DIGIT) and pixels.dtype == np.uint8 and pixels.max() == 255
        counts = np.bincount(labels, minlength=10) / len(labels)
        assert len(counts) == 10 and counts.min() > 0.08 and counts.max() < 0.12


def test_a_label_is_what_the_digit_looks_like():
    """The mean picture of each label in the train part finds most of the test part's labels."""
    (pixels, labels), (new, wanted) = map(handwritten, digits.SPLITS)
    means = np.stack([pixels[labels == label].mean(axis=0) for label in range(10)]).reshape(10, -1)
    distance = ((new.reshape(-1, 1, DIGIT**2) - means) ** 2).sum(axis=-1)  # (N, 10)
    assert (distance.argmin(axis=1) == wanted).mean() > 0.75


# ---- by number


def test_a_number_is_a_clip_whatever_it_is_asked_for_with():
    data = DigitData()
    clips = data.batch([7, 3, 10**12])
    assert clips.pixels.shape == (3, 1, 20, 64, 64) and clips.pixels.dtype == torch.uint8
    again = DigitData().batch([10**12, 7])
    assert torch.equal(again.pixels, clips.pixels[[2, 0]]) and torch.equal(again.labels, clips.labels[[2, 0]])


def test_other_numbers_seeds_and_splits_are_other_clips():
    drawn = [*DigitData().batch(range(6)).pixels, *DigitData(seed=1).batch(range(6)).pixels,
             *DigitData("test").batch(range(6)).pixels]  # fmt: skip
    assert len({clip.numpy().tobytes() for clip in drawn}) == 18
    assert len({DigitData().key, DigitData(seed=1).key, DigitData("test").key, DigitData(num_frames=5).key}) == 4


def test_the_test_set_is_fixed():
    """Whoever changes this checksum changes the test set that errors were measured on."""
    pixels = DigitData("test").batch(range(64)).pixels
    assert hashlib.sha256(pixels.numpy().tobytes()).hexdigest() == (
        "96e395cbf06a034e69f29d7c588f4d3cf79a4a2c15ff0b0704068890a292f7fb"
    )
    assert len(TEST_SET) == 10_000
    assert DigitData("test").truth([9999]).labels.shape == (1, 2)
    with pytest.raises(ValueError, match="from 0 to 9999"):
        DigitData("test").batch([10_000])


def test_clips_are_floats_from_minus_one_to_one():
    batch = DigitData().batch([0, 1])
    clips = batch.clips()
    assert clips.dtype == torch.float32 and clips.min() == -1 and clips.max() == 1
    assert torch.equal(((clips + 1) * 127.5).round().to(torch.uint8), batch.pixels)
    assert torch.equal(batch.to("cpu").pixels, batch.pixels) and len(batch) == 2


# ---- the rules


def one_by_one(x: float, velocity: float, num_frames: int) -> list[float]:
    """The rule for one coordinate, in plain numbers."""
    path = []
    for _ in range(num_frames):
        x += velocity
        if x <= 0:
            x, velocity = 0.0, -velocity
        elif x >= 1:
            x, velocity = 1.0, -velocity
        path.append(x)
    return path


def test_bounces_are_exact():
    """Against the rule written out for one coordinate at a time; 200 frames, so that every path bounces often."""
    random = np.random.default_rng(0)
    start, angle = random.random((50, 2)), 2 * np.pi * random.random(50)
    path = bounce(start, angle, 200)
    for k in range(50):
        for axis, part in enumerate((math.cos(angle[k]), math.sin(angle[k]))):
            wanted = one_by_one(start[k, axis], STEP * part, 200)
            assert np.abs(path[k, :, axis] - wanted).max() < 1e-12
    assert ((path == 0) | (path == 1)).any(axis=1).mean() > 0.9


def test_between_walls_a_digit_goes_straight_ahead_at_the_benchmarks_speed():
    """Free steps are all 3.6 pixels long; each coordinate keeps the size of its step, and turns at walls alone."""
    path = DigitData().truth(range(300)).positions  # (B, K, T, 2)
    step = path.diff(dim=2)
    at_wall = (path == 0) | (path == FREE)
    free = ~(at_wall[:, :, :-1] | at_wall[:, :, 1:]).any(dim=-1)  # (B, K, T - 1)
    assert free.float().mean() > 0.5
    assert (step[free].norm(dim=-1) - STEP * FREE).abs().max() < 1e-9
    turned = step[:, :, 1:].sign() != step[:, :, :-1].sign()
    assert turned.any() and at_wall[:, :, 1:-1][turned].all()


def test_directions_and_starts_are_drawn_evenly():
    """Each twelfth of the circle holds a twelfth of the directions; first places fill the square."""
    known = DigitData(num_frames=2).truth(range(3000))
    first, step = known.positions[:, :, 0].reshape(-1, 2), known.positions.diff(dim=2).reshape(-1, 2)
    inside = ((first > STEP * FREE) & (first < FREE - STEP * FREE)).all(dim=1)
    angle = torch.atan2(step[inside, 1], step[inside, 0])
    parts = torch.histc(angle.float(), 12, -math.pi, math.pi) / len(angle)
    assert len(angle) > 3000 and (parts * 12 - 1).abs().max() < 0.2
    assert (first.mean(dim=0) - FREE / 2).abs().max() < 1 and (first.std(dim=0) - FREE / 12**0.5).abs().max() < 1


def test_digits_are_drawn_whole_at_their_corners_and_the_brighter_pixel_is_seen():
    data = DigitData(num_digits=3)
    drawn, known = data.batch(range(10)).pixels, data.truth(range(10))
    pixels, labels = handwritten("train")
    assert known.corners.min() >= 0 and known.corners.max() <= FREE
    assert (known.corners <= known.positions).all() and (known.positions < known.corners + 1).all()
    assert torch.equal(known.labels, torch.from_numpy(labels[known.digits].astype(np.int64)))
    overlaps = 0
    for b in range(10):
        for t in range(20):
            layers = np.zeros((3, 64, 64), np.uint8)
            for k in range(3):
                x, y = known.corners[b, k, t].tolist()
                layers[k, y : y + DIGIT, x : x + DIGIT] = pixels[known.digits[b, k]]
            assert np.array_equal(drawn[b, 0, t], layers.max(axis=0))
            overlaps += ((layers > 0).sum(axis=0) > 1).sum()
    assert overlaps > 1000


def test_digits_reach_the_walls():
    corners = DigitData().truth(range(100)).corners
    assert corners.min() == 0 and corners.max() == FREE


def test_digits_of_a_clip_are_drawn_independently():
    labels = DigitData().truth(range(4000)).labels
    assert torch.bincount(labels[:, 0], minlength=10).min() > 280
    assert ((labels[:, 0] == labels[:, 1]).float().mean() - 0.1).abs() < 0.02


def test_clips_come_faster_than_any_training_eats_them():
    """Measured: some 20,000 a second on one core of a busy machine. Processor time, the best of three."""

    def seconds(start):
        begin = time.process_time()
        DigitData().batch(range(start, start + 128))
        return time.process_time() - begin

    DigitData().batch([0])  # the digits are read once
    assert 128 / min(map(seconds, (0, 128, 256))) > 3000


# ---- what is not there


@pytest.mark.parametrize("wrong", [{"split": "validation"}, {"size": 27}, {"num_frames": 0}, {"seed": -1}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=str(*wrong.values())):
        DigitData(**wrong)
    with pytest.raises(ValueError, match="-5"):
        DigitData().batch([3, -5])
    with pytest.raises(ValueError, match="got"):
        DigitData().batch([])


def test_without_the_repository_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    with pytest.raises(DataError, match="FLIPBOOK_ROOT to a clone"):
        DigitData().batch([0])


def test_a_missing_or_damaged_file_is_named(tmp_path, monkeypatch):
    original, folder = sources.datasets_dir(), tmp_path / "datasets" / "digits"
    folder.mkdir(parents=True)
    (tmp_path / "datasets" / "sources.toml").write_bytes((original / "sources.toml").read_bytes())
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    with pytest.raises(DataError, match=r"absent.*git checkout"):
        DigitData().batch([0])
    for name in ("digits.json", "digits.npz"):
        (folder / name).write_bytes((original / "digits" / name).read_bytes())
    content = bytearray((folder / "digits.npz").read_bytes())
    content[5000] ^= 1
    (folder / "digits.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"damaged.*git checkout"):
        DigitData().batch([0])
