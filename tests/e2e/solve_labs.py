"""Whole labs in a real browser, from the stubs to green: every cell from top to bottom, with the solution's answers.

    FLIPBOOK_SOLVE="01.3 00.0" FLIPBOOK_SCREENSHOTS=pictures pytest tests/e2e/solve_labs.py

With FLIPBOOK_PRESET=ci the cells are quick. Minutes a lab all the same, so CI does not collect it: for whoever has
written one, to see it as a learner does. With FLIPBOOK_SCREENSHOTS a picture of each cell that showed something is left
in that folder.
"""

import json
import os

import pytest

from common.course.source import lab_source
from tests.e2e.test_first_lab import colour_of, is_green

LABS = os.environ.get("FLIPBOOK_SOLVE", "").split()


@pytest.mark.parametrize("lab_id", LABS)
def test_a_lab_from_stub_to_green(lab_id, course, address, open_page, notebook, snapshot):
    lab, _ = lab_source.find(lab_id, None)
    answers = {tag(cell, "exercise"): "".join(cell["source"]) for cell in code_cells(lab.notebook("solutions"))}
    stubs = code_cells(lab.notebook("labs"))
    page = open_page((1280, 1000))
    file = f"work/{lab.phase}/{lab.stem}.ipynb"
    page.goto(address.replace("lab?", f"lab/tree/{file}?"))
    opened, verdicts = notebook(page, file), []
    opened.unfold_headings()
    for place, stub in enumerate(stubs):
        cell = opened.panel.locator(".jp-CodeCell").nth(place)
        if exercise := tag(stub, "exercise"):
            opened.write(cell, answers[exercise])
        opened.run(cell)
        name = tag(stub, "check")
        if name:
            verdict = cell.locator(".flipbook-check")
            assert is_green(colour_of(verdict)), f"{name}: {verdict.inner_text()}"
            verdicts.append(name)
        failed = cell.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr'], .jp-mod-error")
        told = failed.all_inner_texts()
        assert not any("Traceback" in text for text in told), f"cell {place}: {told}"
        if cell.locator(".jp-OutputArea-output").count():
            opened.show(cell.locator(".jp-OutputArea-output").last)
            snapshot(page, f"{lab_id}-{place:02d}-{name or 'cell'}")
    assert verdicts == [tag(stub, "exercise") for stub in stubs if tag(stub, "exercise")]


def code_cells(path):
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def tag(cell, name):
    return cell["metadata"].get("flipbook", {}).get(name)
