"""Prose quotes no number that only one preset shows: such a number is computed in a cell, beside the picture.

Stored notebooks are run at `ci`, and learners run them at `cpu`. A number with decimals or a percentage that is in the
text and in a stored output, and is no constant of the code, is most likely the text's copy of that output.
"""

import json
import re

import pytest

from common.course.base import paths

PAGES = [p for folder in ("phases", "solutions") for p in sorted(paths.root().glob(f"{folder}/*/*.ipynb"))]
NUMBER = re.compile(r"(?<![\w.])(\d+\.\d+|\d{2,}(?= ?%))(?![\w.]*\d)")
NO_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\$[^$]*\$|arXiv:\S+|CC BY \d\.\d|<[^>]*>|^#.*?$|^\|.*?$", re.DOTALL | re.MULTILINE
)
NO_TEXT = re.compile(r"<style.*?</style>|<[^>]+>", re.DOTALL)
# Numbers that were looked at and hold at every preset, each with the reason.
SAME_EVERYWHERE = {
    "phases/01_tensors/02_inside_a_video_file.ipynb": {"3.1": "arithmetic on a table of sizes"},
    "phases/01_tensors/03_boxes_and_colours.ipynb": {"1.5": "numbers per pixel of 4:2:0"},
    "phases/06_dit_flow_matching/05_the_open_models.ipynb": {"2.0": "a version", "85": "arithmetic on published sizes"},
    "solutions/01_tensors/01_video_loader_benchmark.ipynb": {"1.0": "a made-up log", "4.0": "a made-up log"},
    "solutions/05_video_vae/02_small_3d_vae.ipynb": {"30.9": "a run of 40 core-minutes, from its card"},
    "solutions/05_video_vae/05_latent_diffusion.ipynb": {"54": "seeds of the stored study"},
    "solutions/06_dit_flow_matching/02_flow_matching.ipynb": {
        "1.5": "weights of the shipped model, in millions",
        "95": "the level of an interval",
    },
}


def copied(notebook: dict) -> set[str]:
    """Numbers that a page's text shares with its outputs alone."""
    cells = notebook["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    shown = "\n".join(text for cell in cells for text in texts(cell.get("outputs", [])))
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    said = set(NUMBER.findall(NO_PROSE.sub("", prose)))
    return said & set(NUMBER.findall(shown)) - set(re.findall(r"\d+\.\d+|\d+", code))


def texts(outputs: list[dict]):
    """What outputs say in words: without pictures and markup."""
    for output in outputs:
        yield "".join(output.get("text", ""))
        data = output.get("data", {})
        yield "".join(data.get("text/plain", ""))
        yield NO_TEXT.sub(" ", "".join(data.get("text/html", "")))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(paths.root()).as_posix())
def test_no_text_copies_a_number_from_an_output(path):
    known = SAME_EVERYWHERE.get(path.relative_to(paths.root()).as_posix(), {})
    found = copied(json.loads(path.read_text(encoding="utf-8")))
    assert found - known.keys() == set(), "compute it in a cell, or say why it is the same at every preset"
    assert known.keys() <= found, "an exception that is needed no more"


def test_a_copied_number_is_found():
    """The sentence is found whether it was printed or shown as HTML; a constant of the code and an id are none."""
    text = {"cell_type": "markdown", "source": "# Lab 01.2\nMotion is 4.91 at 12.5 frames, in 87 % of the clips."}
    output = {"data": {"text/html": "<b>4.91</b> and 87 %, 01.2"}}
    cell = {"cell_type": "code", "source": "fps = 12.5", "outputs": [{"text": ["at 12.5\n"]}, output]}
    assert copied({"cells": [text, cell]}) == {"4.91", "87"}
