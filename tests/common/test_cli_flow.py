"""`show --flow` draws the motion of a film with the parts of the library and says what it found."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from common import video
from common.cli import show as cli
from common.data import clip_path
from common.flow import gradient
from common.show import flow_wheel


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli.show, [str(argument) for argument in arguments])


def sliding_film(path, step, num_frames=6):
    """A texture that slides to the right by `step` pixels a frame, without loss."""
    wide = np.random.default_rng(0).integers(40, 216, (24, 60, 1)).repeat(3, axis=-1).astype(np.uint8)
    wide = np.asarray(Image.fromarray(wide).resize((480, 192), Image.Resampling.BICUBIC))
    frames = np.stack([wide[:, 200 - step * t : 200 - step * t + 256] for t in range(num_frames)])
    video.write(path, frames, fps=10, codec="ffv1")
    return path


@pytest.mark.parametrize("step", [0, 3])
def test_the_motion_of_a_film_is_measured_in_its_own_pixels(folder, step):
    ran = run(sliding_film(folder / "film.mkv", step), "-n", 3, "--flow", "--width", 64)
    assert ran.exit_code == 0, ran.output
    [line] = [line for line in ran.output.splitlines() if line.startswith("flow to the next frame")]
    assert abs(float(line.split(":")[1].split()[0]) - step) < 0.1, line
    assert (folder / "film_flow.png").is_file() and "film_flow.png" in ran.output


def test_the_flow_of_a_shift_to_the_right_is_red_and_explains_what_changes(folder):
    run(sliding_film(folder / "film.mkv", 3), "-n", 3, "--flow", "--width", 200, "-o", "a/b.png")
    sheet = np.asarray(Image.open(folder / "a" / "b_flow.png").convert("RGB")).astype(int)
    red = (sheet[..., 0] > 240) & (sheet[..., 1] < 60) & (sheet[..., 2] < 60)
    assert red.sum() > 200 * 150  # most of two flows of 200 x 150


def test_without_the_option_there_is_no_second_sheet(folder):
    assert run(clip_path("gliding"), "-n", 2).exit_code == 0
    assert [path.name for path in folder.iterdir()] == ["gliding_sheet.png"]


def test_the_parts_are_looked_up_when_they_are_needed(folder, monkeypatch):
    asked = []

    def nothing_moves(first, second):
        asked.append(tuple(first.shape))
        return first[:, :2] * 0

    def grey(flow, max_flow):
        return np.full((*flow[..., 0, :, :].shape, 3), 7, np.uint8)

    monkeypatch.setattr(gradient, "lucas_kanade", nothing_moves)
    monkeypatch.setattr(flow_wheel, "flow_to_color", grey)
    ran = run(clip_path("gliding"), "-n", 3, "--flow", "--width", 64)
    assert ran.exit_code == 0 and "0.00 pixels on average" in ran.output
    assert set(asked) == {(1, 3, 180, 320)} and len(asked) == 4  # two frames have a next one, there and back
    pixels = np.asarray(Image.open(folder / "gliding_flow.png").convert("RGB"))
    assert (pixels == 7).all(axis=-1).sum() == 2 * 64 * 36


def test_the_last_frame_has_no_next_one(folder):
    ran = run(sliding_film(folder / "film.mkv", 1, num_frames=1), "-n", 1, "--flow")
    assert ran.exit_code == 1 and "no next one" in ran.output
