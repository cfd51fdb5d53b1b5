"""`data` lists, verifies and fetches; what is wrong makes it fail."""

import json
import shutil

import pytest
from click.testing import CliRunner
from PIL import Image

from common.cli.data import data
from common.data import clips, excerpts, sources


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """Commands run against an empty cache."""
    monkeypatch.setenv("FLIPBOOK_CACHE", str(tmp_path / "cache"))
    return lambda *arguments: CliRunner().invoke(data, arguments)


def test_list_names_everything_with_its_credit(runner):
    ran = runner("list")
    assert ran.exit_code == 0
    for name in [clip.name for clip in clips() + excerpts()] + [source.name for source in sources.sources()]:
        assert name in ran.output
    assert "LeCun" in ran.output and "Blender Foundation" in ran.output and "66, 197, 278, 346, 406" in ran.output


def test_list_for_programs(runner):
    document = json.loads(runner("list", "--json").output)
    assert {row["name"] for row in document["clips"]} == {clip.name for clip in clips() + excerpts()}
    assert {row["status"] for row in document["clips"]} == {"ok"}
    assert {row["name"]: row["status"] for row in document["sources"]} == dict.fromkeys(
        ["big-buck-bunny", "bikes", "carphone"], "absent"
    )


def test_verify_is_content_with_a_whole_checkout(runner):
    ran = runner("verify")
    assert ran.exit_code == 0, ran.output
    assert ran.output.count("ok") == len(clips() + excerpts()) + 1 and ran.output.count("not fetched") == 3


def test_verify_finds_a_flipped_byte_and_a_missing_file(runner, tmp_path, monkeypatch):
    shutil.copytree(sources.datasets_dir(), tmp_path / "root" / "datasets")
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path / "root"))
    folder = tmp_path / "root" / "datasets" / "big_buck_bunny"
    content = bytearray((folder / "leap.mp4").read_bytes())
    content[5000] ^= 1
    (folder / "leap.mp4").write_bytes(content)
    (folder / "glade.mp4").unlink()
    ran = runner("verify")
    assert ran.exit_code == 1
    assert "not as they should be: glade, leap." in ran.output and "git checkout -- datasets" in ran.output


def test_verify_finds_a_damaged_download(runner):
    source = sources.find_source("bikes")
    source.location.parent.mkdir(parents=True)
    source.location.write_bytes(b"half a film")
    ran = runner("verify")
    assert ran.exit_code == 1 and "not as they should be: bikes." in ran.output


def test_fetch_of_an_unknown_name_lists_the_known_ones(runner):
    ran = runner("fetch", "bunny")
    assert ran.exit_code == 1 and "'bunny'" in ran.output and "big-buck-bunny" in ran.output


def test_fetch_prints_the_path_and_nothing_else_on_standard_output(runner, monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "fetch", lambda name: tmp_path / f"{name}.mp4")
    assert runner("fetch", "bikes").stdout == f"{tmp_path / 'bikes.mp4'}\n"


@pytest.mark.parametrize("world", ["sprites", "solo", "mini", "diorama"])
def test_draw_makes_a_sheet_of_a_world(runner, tmp_path, world):
    place = tmp_path / "new folder" / "sheet.png"
    ran = runner("draw", world, "-n", "2", "--first", "5", "--out", str(place))
    assert ran.exit_code == 0, ran.output
    assert ran.output.strip() == str(place) and min(Image.open(place).size) > 200


def test_draw_adds_the_truth_below_each_clip(runner, tmp_path):
    heights = {}
    for options in ((), ("--truth",)):
        place = tmp_path / f"{len(options)}.png"
        assert runner("draw", "diorama", "-n", "1", "-o", str(place), *options).exit_code == 0
        heights[options] = Image.open(place).size[1]
    assert heights[("--truth",)] > 2.5 * heights[()]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [(("diorama", "--split", "held_out"), "held_out_pairs"), (("solo", "--truth"), "not for solo"),
     (("mini", "-o", "sheet.mp4"), "sheet.mp4"), (("faces",), "faces")],
)  # fmt: skip
def test_draw_says_what_it_cannot_draw(runner, options, complaint):
    ran = runner("draw", *options)
    assert ran.exit_code != 0 and complaint in ran.output and "Traceback" not in ran.output
