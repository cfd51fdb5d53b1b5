"""What is drawn can be trusted: pixels arrive where the labels say, differences are what they claim, sizes hold."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from common import show
from common.data import clip_path
from common.show.frames import as_frames
from common.show.layout import GAP, MARGIN, PAPER
from common.video import clip_to_frames, sample_clip

FLAT = [(200, 30, 30), (30, 160, 40), (40, 60, 210), (230, 200, 20), (120, 20, 160), (20, 180, 190), (250, 120, 40)]


def flat_frames(count, height=20, width=30):
    """Frames of one colour each, so that a place on the sheet tells which frame lies there."""
    return np.stack([np.full((height, width, 3), FLAT[k], np.uint8) for k in range(count)])


@pytest.fixture(scope="module")
def film():
    return sample_clip(clip_path("leap"), 12, fps=8, size=120)


def colour_at(picture, x, y):
    return picture.getpixel((x, y))


def test_a_sheet_shows_every_frame_in_reading_order():
    sheet = show.contact_sheet(flat_frames(7), columns=3, width=60)
    line = [MARGIN + 30 + column * (60 + GAP) for column in range(3)]
    column = [colour_at(sheet, line[0], y) for y in range(sheet.height)]
    rows = [y for y in range(1, sheet.height) if column[y] in FLAT and column[y - 1] == PAPER]
    seen = [colour_at(sheet, x, y + 20) for y in rows for x in line]
    assert seen == [*FLAT, PAPER, PAPER]


def test_a_clip_and_its_frames_give_the_same_sheet(film):
    from_frames = show.contact_sheet(clip_to_frames(film), fps=8)
    assert show.contact_sheet(film, fps=8).tobytes() == from_frames.tobytes()


def test_labels_change_the_sheet_and_times_come_from_fps_and_start():
    frames = flat_frames(3)
    spelled = show.contact_sheet(frames, labels=["0  ·  1.00 s", "1  ·  1.50 s", "2  ·  2.00 s"])
    assert show.contact_sheet(frames, fps=2, start=1).tobytes() == spelled.tobytes()
    assert show.contact_sheet(frames, times=[1, 1.5, 2]).tobytes() == spelled.tobytes()
    assert show.contact_sheet(frames).tobytes() != spelled.tobytes()


def test_a_highlight_marks_its_own_frame_only():
    plain, marked = (np.asarray(show.contact_sheet(flat_frames(3), width=60, highlight=h)) for h in ([], [1]))
    columns = np.flatnonzero((plain != marked).any(axis=(0, 2)))
    assert columns.min() >= MARGIN + 60 and columns.max() < MARGIN + 2 * (60 + GAP)


def test_a_grey_clip_is_drawn_grey():
    clip = torch.tensor([-1.0, 0, 1]).reshape(1, 3, 1, 1).expand(1, 3, 4, 5)
    assert as_frames(clip)[:, 0, 0].tolist() == [[0] * 3, [128] * 3, [255] * 3]


def test_values_that_are_no_numbers_are_magenta_and_their_neighbours_are_not():
    clip = torch.zeros(3, 2, 4, 5)
    clip[1, 0, 2, 3] = float("nan")
    clip[2, 1, 0, 0] = float("-inf")
    frames = as_frames(clip)
    assert np.argwhere((frames == (255, 0, 255)).all(axis=-1)).tolist() == [[0, 2, 3], [1, 0, 0]]
    assert (frames != 128).any(axis=-1).sum() == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (torch.zeros(2, 3, 4, 5, 6), r"of a batch, show one"),
        (torch.zeros(3, 4, 5), r"\(C, T, H, W\)"),
        (torch.zeros(3, 4, 5, 6, dtype=torch.uint8), "uint8"),
        (np.zeros((4, 5, 6, 3)), "float64"),
        (np.zeros((4, 5, 6, 2), np.uint8), "one or three channels"),
        (torch.zeros(3, 0, 5, 6), "one or three channels|pixels"),
    ],
)
def test_what_cannot_be_shown_says_why(wrong, message):
    with pytest.raises(ValueError, match=message):
        show.contact_sheet(wrong)


def test_strips_start_and_end_with_each_clips_own_ends():
    sheet = show.strips({"long": flat_frames(7), "short": flat_frames(2)}, num_frames=3, width=64)
    pixels = np.asarray(sheet)
    count = {colour: int((pixels == colour).all(axis=-1).sum()) for colour in FLAT}
    frame = max(count.values()) // 2  # the first colour starts both rows
    assert [round(count[colour] / frame) for colour in FLAT] == [2, 1, 0, 1, 0, 0, 1]


def test_side_by_side_puts_one_moment_in_one_row():
    sheet = show.side_by_side({"a": flat_frames(2), "b": flat_frames(4)[2:]}, width=60)
    left, right = MARGIN + 30, MARGIN + 30 + 60 + GAP
    rows = [(colour_at(sheet, left, y), colour_at(sheet, right, y)) for y in range(sheet.height)]
    assert {pair for pair in rows if set(pair) <= set(FLAT)} == {(FLAT[0], FLAT[2]), (FLAT[1], FLAT[3])}
    with pytest.raises(ValueError, match=r"\[2, 4\]"):
        show.side_by_side({"a": flat_frames(2), "b": flat_frames(4)})


def test_side_by_side_takes_single_pictures():
    one = show.side_by_side({"a": flat_frames(1)[0], "b": flat_frames(2)[1]})
    two = show.side_by_side({"a": flat_frames(1), "b": flat_frames(2)[1:]})
    assert one.tobytes() == two.tobytes()


def test_a_difference_is_grey_where_equal_and_moves_by_the_stated_factor():
    """One pixel 10 steps too high, another 10 too low: they move by factor * 10 / 2 from middle grey."""
    target = np.full((2, 6, 7, 3), 100, np.uint8)
    yours = target.copy()
    yours[0, 1, 2, 0] += 10
    yours[1, 3, 4, 2] -= 10
    change = show.difference(target, yours, factor=8)
    assert change.frames[0, 1, 2].tolist() == [168, 128, 128]
    assert change.frames[1, 3, 4].tolist() == [128, 128, 88]
    assert (change.frames != 128).sum() == 2
    assert change.largest == pytest.approx(10 / 255)


def test_the_chosen_factor_fills_the_range_and_stays_in_it():
    target = np.full((2, 6, 7, 3), 100, np.uint8)
    assert show.difference(target, target + 3).factor == 64
    assert show.difference(target, target + 30).factor == 8
    assert show.difference(target, target + 150).factor == 1


def test_a_difference_of_swapped_channels_shows():
    """The mean over channels would be blind to it."""
    clip = torch.rand(3, 2, 6, 7, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert (show.difference(clip, clip[[2, 1, 0]]).frames != 128).any()


def test_compare_draws_clips_of_different_sizes_instead_of_failing():
    sheet = show.compare(flat_frames(3), flat_frames(2, height=10))
    whole = show.compare(flat_frames(3), flat_frames(3))
    assert sheet.height < whole.height  # two rows and a line, not three rows


def decoded(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_a_notebook_stores_film_once_and_as_jpeg(film):
    sheet = show.contact_sheet(film)
    assert sheet._repr_png_() is None
    assert decoded(sheet._repr_jpeg_()).size == sheet.size
    assert len(sheet._repr_jpeg_()) < 100_000


def test_a_notebook_stores_toys_once_exactly_and_small():
    sheet = show.contact_sheet(flat_frames(7))
    assert sheet._repr_jpeg_() is None
    assert decoded(sheet._repr_png_()).convert("RGB").tobytes() == sheet.tobytes()
    assert len(sheet._repr_png_()) < 6000


def frames_of(animation):
    image = Image.open(io.BytesIO(animation))
    times, pictures = [], []
    for k in range(image.n_frames):
        image.seek(k)
        pictures.append(np.asarray(image.convert("RGB")))
        times.append(image.info["duration"])
    return times, pictures


def test_a_player_plays_every_frame_at_its_rate():
    """At 24 frames a second a frame lasts 41.67 ms; whole milliseconds must not add up to a drift."""
    frames = np.stack([np.full((90, 160, 3), 10 * k, np.uint8) for k in range(24)])
    made = show.player(frames, 24)
    times, pictures = frames_of(made.animation)
    assert sum(times) == 1000
    assert len(pictures) == 24
    assert all(abs(picture.mean() - 10 * k) < 2 for k, picture in enumerate(pictures))


def test_a_player_is_one_image_without_script_and_has_a_poster(film):
    made = show.player(film, 8, caption="<leap>")
    text = made._repr_html_()
    assert "<script" not in text and "<style" not in text and "&lt;leap&gt;" in text
    [source] = re.findall(r'src="data:image/webp;base64,([^"]+)"', text)
    assert base64.b64decode(source) == made.animation
    assert decoded(made._repr_jpeg_()).size == made.size


def test_a_player_keeps_to_the_bytes_it_was_given(film):
    """What Jupyter writes into the notebook: the HTML and the poster."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 120, 200, 3), dtype=np.uint8)
    for clip, most in ((film, 60_000), (noise, 60_000)):
        made = show.player(clip, 8, max_bytes=most)
        stored = len(made._repr_html_()) + len(base64.b64encode(made._repr_jpeg_()))
        assert made.stored_bytes <= most
        assert stored <= most + 1000
    with pytest.raises(ValueError, match="do not fit in 500 bytes"):
        show.player(film, 8, max_bytes=500)
    with pytest.raises(ValueError, match="fps"):
        show.player(film, 0)
