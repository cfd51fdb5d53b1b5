"""Results are readable as text and as HTML that needs nothing but itself."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy
import pytest
import torch
from PIL import Image

from common.course.base.paths import Lab
from common.course.base.results import STATUSES, Result
from common.course.checking import pictures, render, runner

LAB = Lab("01_tensors", "02_frame_extractor")


def result(status="pass", **changes):
    given = {"test": "test_x", "title": "x holds", "exercise": "f", "points": 2.0, "status": status}
    message = {} if status == "pass" else {"message": f"why {status}"}
    return Result(**(given | message | changes))


class Balance(HTMLParser):
    """Counts open tags; keeps the text that a reader sees."""

    def __init__(self, page):
        super().__init__()
        self.stack, self.text, self.attributes = [], "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag != "img":
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_a_mark_a_colour_and_its_message_in_both_forms(status):
    results = [result(status), result(test="test_y", title="y holds")]
    page = Balance(render.as_html(LAB, results))
    text = render.as_text(LAB, results)
    assert page.stack == []
    for shown in (page.text, text):
        assert render.MARKS[status] + " x holds" in shown and "✔ y holds" in shown
        assert (f"why {status}" in shown) == (status != "pass")


def test_the_headline_counts_tests_and_points():
    results = [result(), result("fail", points=3.5), result("todo", exercise="g", points=1)]
    assert render.headline(LAB, results) == "Lab 01.2: 1 of 3 tests pass, 2 of 6.5 points"
    assert render.headline(LAB, [result(), result()]) == "Lab 01.2, f: all 2 tests pass, 4 of 4 points"
    assert render.headline(LAB, []) == "Lab 01.2: 0 of 0 tests pass, 0 of 0 points"


def test_a_message_that_all_tests_of_an_exercise_share_is_said_once():
    results = [result("todo", message="not written yet", test=f"t{k}", title=f"case {k}") for k in range(4)]
    results.append(result("pass", exercise="g"))
    for shown in (render.as_text(LAB, results), Balance(render.as_html(LAB, results)).text):
        assert shown.count("not written yet") == 1 and all(f"case {k}" in shown for k in range(4))


def test_the_hint_is_folded_and_not_given_before_a_first_try():
    page = render.as_html(LAB, [result("fail", hint="use `round`"), result(test="b")])
    assert re.search(r"<details[^>]*><summary>A hint</summary>use <code>round</code></details>", page)
    early = [result("todo", hint="a"), result("blocked", hint="b"), result(test="c", hint="secret")]
    assert "hint" not in render.as_html(LAB, early) + render.as_text(LAB, early)


def test_nothing_that_an_answer_says_becomes_markup():
    nasty = "<script>alert(1)</script><img src=x onerror=y>\"' `<b>`"
    page = render.as_html(LAB, [result("fail", message=nasty, title=nasty, hint=nasty, exercise=nasty), result()])
    assert "<script" not in page and "<img" not in page and "<b>`" not in page
    assert Balance(page).text.count("<script>alert(1)</script>") >= 3


def test_the_page_needs_no_script_no_style_sheet_and_no_network():
    png = pictures.picture(torch.zeros(3, 4, 8, 10), torch.ones(3, 4, 8, 10))
    page = render.as_html(LAB, [result("fail", pictures=[("target, yours", png)]), result()], next_step="Next: `g`.")
    assert not re.search(r"<script|<style|<link|https?://|\son\w+=|\bid=", page)
    assert page.startswith('<div class="flipbook-check"') and "Next: <code>g</code>." in page
    assert 'src="data:image/png;base64,' in page and 'alt="target, yours"' in page


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("background", ["#ffffff", "#111111"], ids=["light", "dark"])
@pytest.mark.parametrize("colour", sorted(set(render.COLOURS.values())))
def test_every_colour_reads_on_the_light_and_the_dark_theme(colour, background):
    darker, lighter = sorted((luminance(colour), luminance(background)))
    assert (lighter + 0.05) / (darker + 0.05) >= 4, "WCAG asks for 3 for bold text and 4.5 for running text"


def test_plain_text_takes_the_themes_own_colour():
    page = render.as_html(LAB, [result(), result("fail", test="b")])
    for style in (value for name, value in Balance(page).attributes if name == "style"):
        for colour in re.findall(r"(?<![-\w])color:([^;]+)", style):
            assert colour in render.COLOURS.values()


def test_text_has_colour_only_where_it_is_wanted():
    assert "\033[" not in render.as_text(LAB, [result("fail"), result()])
    assert "\033[31m✘\033[0m" in render.as_text(LAB, [result("fail"), result()], colour=True)


def test_the_first_problem_is_what_is_wrong_before_what_is_missing():
    todo, blocked, wrong = result("todo"), result("blocked"), result("fail")
    assert render.first_problem([result(), blocked, todo, wrong]) is wrong
    assert render.first_problem([blocked, todo]) is todo
    assert render.first_problem([result()]) is None


# Pictures


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3)) * 2 - 1


def test_a_picture_fits_into_a_notebook_even_when_it_is_all_noise():
    png = base64.b64decode(pictures.picture(noise(3, 9, 180, 320), noise(3, 9, 180, 320)))
    assert len(png) <= 60_000
    assert Image.open(io.BytesIO(png)).format == "PNG"


def test_a_huge_clip_is_not_drawn():
    with pytest.raises(ValueError, match="too large to draw"):
        pictures.picture(torch.zeros(1).expand(3, 100, 1000, 1000), noise(3, 2, 4, 5))


LOOKING = """
import numpy as np
import pytest
import torch

@pytest.mark.exercise("double")
@pytest.mark.parametrize("off", [0, 40])
def test_it(lab, look, off):
    target = np.zeros((4, 6, 8, 3), np.uint8)
    look(target=target, yours=target + lab.double(off))
    assert not lab.double(off), "brighter"

@pytest.mark.exercise("greeting")
def test_nothing_to_draw(lab, look):
    look(target=None, yours=object())
    assert False, "still a verdict"
"""


def test_pictures_come_with_what_does_not_pass_and_never_cost_a_verdict(mini_course):
    mini_course.write_grader(LOOKING)
    right, wrong, undrawable = runner.run_tests(mini_course.lab, submission=mini_course.write())
    assert (right.status, right.pictures) == ("pass", [])
    assert wrong.status == "fail" and len(wrong.pictures) == 1
    image = Image.open(io.BytesIO(base64.b64decode(wrong.pictures[0][1])))
    assert len(numpy.unique(numpy.asarray(image.convert("L")))) > 2
    assert (undrawable.status, undrawable.message, undrawable.pictures) == ("fail", "still a verdict", [])


def test_a_pass_shows_one_picture_and_the_librarys_version_folded():
    png = pictures.picture([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
    passed = [result(pictures=[("curves", png)]), result(test="test_y", pictures=[("curves again", png)])]
    page = Balance(render.as_html(LAB, passed, library=("common.video.f", "def f(x):\n    return x < 2")))
    assert page.stack == []
    assert [value for name, value in page.attributes if name == "alt"] == ["curves again"]
    assert "How the library does it" in page.text and "return x < 2" in page.text
    partly = render.as_html(LAB, [*passed, result("fail")])
    assert "curves" not in partly
