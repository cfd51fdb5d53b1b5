"""The bundled film is what its card says, and windows of it are the frames that they claim."""

import re
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from common.data import Batch, ClipDataset, DataError, Window, clip_path, clips, collate, excerpts, find_clip, sources
from common.evaluation import motion_score
from common.video import VideoReader, frames_to_clip, probe, read_frames, sample_clip

ONE_MEGABYTE = 1_000_000


# ---- the bundled film


def test_there_are_at_least_twelve_shots_in_at_most_six_megabytes():
    folder = sources.datasets_dir() / "big_buck_bunny"
    assert len(clips()) >= 12 and len(excerpts()) >= 1
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 6 * ONE_MEGABYTE
    assert {path.name for path in folder.glob("*.mp4")} == {clip.path.name for clip in clips() + excerpts()}


@pytest.mark.parametrize("clip", clips() + excerpts(), ids=lambda clip: clip.name)
def test_each_file_is_what_its_entry_says(clip):
    assert clip.status() == "ok"
    info = probe(clip.path)
    assert (info.num_frames, info.fps, info.width, info.height) == (clip.num_frames, clip.fps, clip.width, clip.height)
    assert (info.codec, info.color_matrix, info.color_range) == ("h264", "bt709", "limited")
    assert clip.licence == "CC-BY-3.0" and "Blender Foundation" in clip.credit
    with VideoReader(clip.path) as reader:
        assert len(reader.keyframes) >= 3
        assert max(b - a for a, b in pairwise([*reader.keyframes, clip.num_frames])) <= 24


def neighbour_change(path, size=90):
    """How much each frame differs from the one before, (T - 1,)."""
    frames = read_frames(path, size=size).astype(np.int16)
    return np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)) / 255


@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.name)
def test_no_shot_holds_a_cut(clip):
    """At a cut nearly the whole picture changes at once: 0.2 and more of the range, in this film."""
    assert 2 <= clip.duration <= 6
    assert neighbour_change(clip.path).max() < 0.15


@pytest.mark.parametrize("clip", excerpts(), ids=lambda clip: clip.name)
def test_the_listed_cuts_are_the_cuts(clip):
    """A cut frame is the first of its shot: the change towards it stands out, those around it do not."""
    change = neighbour_change(clip.path)
    largest = sorted(int(i) + 1 for i in change.argsort()[-len(clip.cuts) :])
    assert largest == list(clip.cuts)
    others = np.delete(change, [cut - 1 for cut in clip.cuts])
    assert change[[cut - 1 for cut in clip.cuts]].min() > 2 * others.max()


def test_motion_scores_are_measured_and_order_the_shots():
    """The slowest and the fastest shot measure as listed; the range between them is wide."""
    shots = clips()
    for clip in (shots[0], shots[-1]):
        measured = motion_score(frames_to_clip(read_frames(clip.path))).item()
        assert measured == pytest.approx(clip.motion, rel=0.02, abs=2e-5)
    assert [clip.motion for clip in shots] == sorted(clip.motion for clip in shots)
    assert shots[-1].motion > 50 * shots[0].motion


def test_the_card_lists_what_is_there():
    text = (sources.datasets_dir() / "big_buck_bunny" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (\d+) \| ([\d.]+) \|", text, re.M)
    listed = [(name, float(seconds), int(frame), float(motion)) for name, seconds, frame, motion in rows]
    assert listed == [(c.name, round(c.duration, 2), c.film_frame, round(c.motion, 4)) for c in clips()]
    [cuts] = [clip.cuts for clip in excerpts()]
    assert [int(n) for n in re.findall(r"\d+", re.search(r"frames \*\*(.*?)\*\*", text, re.S)[1])] == list(cuts)
    assert "Blender Foundation" in text and "creativecommons.org/licenses/by/3.0" in text


def test_unknown_clips_name_the_known_ones():
    with pytest.raises(DataError, match=r"'lep'.*leap"):
        clip_path("lep")


def test_without_the_repository_the_error_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    for ask in (clips, excerpts, sources.sources, lambda: clip_path("leap")):
        with pytest.raises(DataError, match="FLIPBOOK_ROOT to a clone"):
            ask()


def test_datasets_is_not_a_package():
    """As a package it would shadow another library's `datasets`."""
    assert not list(sources.datasets_dir().rglob("__init__.py"))


# ---- windows and batches


def test_a_window_is_the_frames_it_claims():
    """At the film's own size nothing is scaled or cut off: a window is exactly those frames."""
    data = ClipDataset([find_clip("leap")], num_frames=4, height=360, width=640, step=3, hop=17)
    window = data[2]
    expected = frames_to_clip(read_frames(clip_path("leap"), [34, 37, 40, 43]))
    assert torch.equal(window.pixels, expected)
    assert (window.name, window.fps, window.start) == ("leap", 8.0, 34 / 24)


def test_windows_cover_each_clip_without_overlap_and_never_leave_it():
    data = ClipDataset(num_frames=16)
    starts = {}
    for film, first in data.windows:
        starts.setdefault(film.name, []).append(first)
        assert first + 16 <= film.num_frames
    assert starts == {clip.name: list(range(0, clip.num_frames - 15, 16)) for clip in clips()}


def test_a_square_window_of_a_wide_frame_is_its_middle():
    whole = ClipDataset([find_clip("glade")], num_frames=1, height=90, width=160)[0].pixels
    middle = ClipDataset([find_clip("glade")], num_frames=1, height=90, width=90)[0].pixels
    assert torch.equal(middle, whole[..., 35:125])


@pytest.mark.parametrize(("height", "width"), [(360, 640), (90, 161), (91, 160), (33, 200), (200, 33), (400, 640)])
def test_windows_have_the_size_that_was_asked_for(height, width):
    data = ClipDataset([find_clip("glade")], num_frames=2, height=height, width=width)
    assert data[0].pixels.shape == (3, 2, height, width)


def test_scaling_averages_pixels_and_does_not_skip_them():
    """Skipped pixels would make leaves and grass flicker: a quarter of the height lies near the mean of 4x4 blocks."""
    small = ClipDataset([find_clip("glade")], num_frames=1, height=90, width=160)[0].pixels
    exact = frames_to_clip(read_frames(clip_path("glade"), [0]))
    blocks = torch.nn.functional.avg_pool2d(exact, 4)
    assert (small - blocks).abs().mean() < (exact[..., ::4, ::4] - blocks).abs().mean() / 3


def random_windows(seed, **options):
    generator = torch.Generator().manual_seed(seed)
    data = ClipDataset([find_clip("leap")], num_frames=3, height=45, width=48, hop=7, generator=generator, **options)
    return torch.stack([data[i].pixels for i in range(len(data))])


def test_random_crops_and_flips_follow_the_generator():
    options = {"random_crop": True, "random_flip": True}
    assert torch.equal(random_windows(3, **options), random_windows(3, **options))
    assert not torch.equal(random_windows(3, **options), random_windows(4, **options))
    assert torch.equal(random_windows(3), random_windows(4))


def test_a_flip_mirrors_all_frames_of_a_window_or_none():
    plain, flipped = random_windows(0), random_windows(0, random_flip=True)
    kinds = set()
    for a, b in zip(plain, flipped):
        is_same, is_mirrored = torch.equal(a, b), torch.equal(a.flip(-1), b)
        assert is_same or is_mirrored
        kinds.add(is_mirrored)
    assert kinds == {True, False}


def test_a_loader_makes_batches():
    loader = DataLoader(ClipDataset(num_frames=5, height=24, width=32, hop=40), batch_size=3, collate_fn=collate)
    batch = next(iter(loader))
    assert isinstance(batch, Batch) and len(batch) == 3
    assert batch.pixels.shape == (3, 3, 5, 24, 32) and batch.pixels.dtype == torch.float32
    assert batch.fps.tolist() == [24.0] * 3 and batch.start.tolist() == pytest.approx([0, 40 / 24, 0])
    assert batch.names == (clips()[0].name, clips()[0].name, clips()[1].name)
    halved = batch.to(dtype=torch.float16)
    assert halved.pixels.dtype == torch.float16 and halved.fps.dtype == torch.float32


def test_windows_of_different_sizes_do_not_make_a_batch():
    a, b = (Window(torch.zeros(3, 2, 4, width), 24.0, "x", 0.0) for width in (5, 6))
    with pytest.raises(ValueError, match="one size"):
        collate([a, b])
    with pytest.raises(ValueError, match="one size"):
        collate([])


def test_impossible_windows_are_refused():
    with pytest.raises(ValueError, match="spans 500 frames"):
        ClipDataset(num_frames=500)
    with pytest.raises(ValueError, match="step=0"):
        ClipDataset(step=0)


def test_the_shots_sample_like_any_video():
    """`sample_clip` on a bundled shot: the first and the last frame are the shot's own."""
    clip = find_clip("gliding")
    sampled = sample_clip(clip.path, 3)
    assert torch.equal(sampled[:, [0, 2]], frames_to_clip(read_frames(clip.path, [0, clip.num_frames - 1])))
