"""`show` draws the frames that the sampler gives, whoever's sampler that is, and says what it drew."""

import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from common import show as library
from common.cli import show as cli
from common.data import clip_path
from common.evaluation import motion_score
from common.video import probe, sample_clip, sampling, write


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli.show, [str(argument) for argument in arguments])


def test_a_sheet_lands_in_the_current_folder_and_is_described(folder):
    path = clip_path("gliding")
    ran = run(path, "-n", 5)
    assert ran.exit_code == 0, ran.output
    expected = library.contact_sheet(
        sample_clip(path, 5),
        width=200,
        labels=[f"{i}  ·  {i / 24:.2f} s" for i in (0, 14, 27, 40, 54)],
        title="gliding.mp4  ·  640×360  ·  24 fps  ·  2.29 s",
    )
    assert np.array_equal(np.asarray(Image.open(folder / "gliding_sheet.png")), np.asarray(expected))
    assert "640x360, 24.00 fps, 2.29 s, 55 frames" in ran.output
    assert f"{motion_score(sample_clip(path, 5)).item():.4f}" in ran.output
    assert "gliding_sheet.png" in ran.output


def test_fps_and_start_choose_the_frames(folder):
    path = clip_path("gliding")
    assert run(path, "-n", 3, "--fps", 4, "--start", 0.5, "-o", "sub/out.png").exit_code == 0
    expected = library.contact_sheet(
        sample_clip(path, 3, fps=4, start=0.5),
        width=200,
        labels=["12  ·  0.50 s", "18  ·  0.75 s", "24  ·  1.00 s"],
        title="gliding.mp4  ·  640×360  ·  24 fps  ·  2.29 s",
    )
    assert np.array_equal(np.asarray(Image.open(folder / "sub" / "out.png")), np.asarray(expected))


def test_evenly_from_a_start_labels_the_frames_that_are_shown(folder):
    path = clip_path("gliding")
    assert run(path, "-n", 2, "--start", 1).exit_code == 0
    expected = library.contact_sheet(
        sample_clip(path, 2, start=1),
        width=200,
        labels=["24  ·  1.00 s", "54  ·  2.25 s"],
        title="gliding.mp4  ·  640×360  ·  24 fps  ·  2.29 s",
    )
    assert np.array_equal(np.asarray(Image.open(folder / "gliding_sheet.png")), np.asarray(expected))


def test_the_sampler_is_looked_up_when_it_is_needed(folder, monkeypatch):
    """A sampler put in its place is the one that runs: this is what `--mine` stands on."""
    asked = []

    def red(path, num_frames, *, fps=None, start=0.0, size=None):
        asked.append((num_frames, fps, start))
        return torch.tensor([1.0, -1, -1]).reshape(3, 1, 1, 1).expand(3, num_frames, 18, 32)

    monkeypatch.setattr(sampling, "sample_clip", red)
    target = cli.draw_sheet(clip_path("gliding"), 4, fps=2, width=64)
    assert asked == [(4, 2, 0.0)]
    pixels = np.asarray(Image.open(target))
    assert (pixels == (255, 0, 0)).all(axis=-1).sum() == 4 * 64 * 36


def test_one_frame_has_no_motion_to_report(folder):
    ran = run(clip_path("gliding"), "-n", 1)
    assert ran.exit_code == 0 and "motion" not in ran.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.mp4"], "nowhere.mp4"),
        (["."], ""),
        (["clip.mp4", "--fps", "24", "-n", "100"], "ends at 2.292 s"),
        (["clip.mp4", "--start", "60"], "2.292 s"),
        (["clip.mp4", "-o", "sheet.gif"], "sheet.gif"),
    ],
)
def test_what_cannot_be_drawn_is_one_line_and_leaves_no_file(folder, arguments, message):
    shutil.copy(clip_path("gliding"), "clip.mp4")
    ran = run(*arguments)
    assert ran.exit_code == 1 and ran.output.startswith("Error: ") and message in ran.output
    assert [path.name for path in folder.iterdir()] == ["clip.mp4"]


def test_a_large_video_is_read_small(folder, monkeypatch):
    """A sheet of a film in 4K must not need gigabytes: the sampler is asked for what the sheet can show."""
    sizes = []
    monkeypatch.setattr(cli, "LARGE", 180)
    original = sampling.sample_clip

    def spy(*arguments, **options):
        sizes.append(options.get("size"))
        return original(*arguments, **options)

    monkeypatch.setattr(sampling, "sample_clip", spy)
    assert run(clip_path("gliding"), "-n", 2).exit_code == 0
    assert sizes == [180]


def test_a_last_picture_that_stays_is_on_the_sheet_until_the_end(tmp_path):
    """ten frames in half a second, the last of which stays until 3 s: a sheet at 4 fps has frames up to there"""
    path = tmp_path / "still.mkv"
    frames = np.stack([np.full((32, 48, 3), 20 * k, np.uint8) for k in range(10)])
    write(path, frames, fps=20, timestamps=[*np.arange(9) / 20, 1.5])
    assert probe(path).duration > 1.5
    end = probe(path).duration
    count = int(end * 4 - 1e-6)
    options = ["--fps", "4", "-n", str(count), "-o", str(tmp_path / "sheet.png")]
    result = CliRunner().invoke(cli.show, [str(path), *options])
    assert result.exit_code == 0, result.output
