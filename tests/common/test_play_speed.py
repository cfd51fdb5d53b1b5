"""`flipbook play WHAT --speed`: a world is measured, with the settings that suit it, and no page opens."""

import sys

import pytest
from click.testing import CliRunner

from common.cli.play import play
from common.play.playable import BEGINS, FOLDED, find
from common.play.settings import Settings
from common.play.speed import speed_report
from common.zoo import shelf


def test_a_report_has_the_milliseconds_and_the_screen():
    report = speed_report(find("rooms", engine=True), Settings(), rounds=5)
    lines = report.splitlines()
    assert lines[0].startswith("rooms: ") and "ms per frame, p95" in lines[0]
    assert all(line.endswith("60 frames per second") for line in lines[1:]) and len(lines) == 3


@pytest.mark.parametrize(("words", "due"), [([], (1, 0.3)), (["--steps", "2"], (2, 0.3)), (["--noise", "0"], (1, 0))])
def test_a_world_begins_with_what_suits_it(words, due, monkeypatch):
    seen = []
    monkeypatch.setattr(
        sys.modules["common.cli.play"], "speed_report", lambda playable, settings, seed: seen.append(settings) or ""
    )
    ran = CliRunner().invoke(play, ["arcade-rooms", "--speed", *words])
    assert ran.exit_code == 0, ran.output
    assert seen == [Settings(*due)]


def test_a_folded_world_is_on_the_shelf_and_begins_with_one_step():
    assert set(FOLDED) <= set(shelf.names()) and all(BEGINS[name].num_steps == 1 for name in FOLDED)
