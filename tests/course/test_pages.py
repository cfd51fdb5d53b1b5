"""The written pages say what is so: every id in its place, built or planned as it is, links that lead somewhere."""

import re

import pytest

from common.course.base import paths
from common.course.source import percent, syllabus

PHASES = syllabus.read()
ROOT = paths.root()
SOURCES = [*ROOT.glob("solutions/*/*.py"), *ROOT.glob("phases/*/*.py")]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("phases/**/*.md"), *ROOT.glob("*/README.md")]


def page(phase):
    return (phase.path / "README.md").read_text(encoding="utf-8")


def row(text, first):
    """The row of a table whose first column is this."""
    found = re.findall(rf"^\| {re.escape(first)} \|.*$", text, re.MULTILINE)
    assert len(found) == 1, f"{first} is in {len(found)} rows"
    return found[0]


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.folder)
def test_a_phases_page_has_every_concept_and_lab_with_its_stars(phase):
    text = page(phase)
    assert text.startswith(f"# Phase {phase.folder[:2]} · {phase.title}\n")
    for concept in phase.concepts:
        row(text, concept.id)
    for entry in phase.labs:
        assert f"| {entry.title} |" in row(text, entry.id)
        assert f"| {'★' * entry.stars} |" in row(text, entry.id)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.folder)
def test_a_lab_is_called_planned_exactly_as_long_as_it_is(phase):
    for entry in phase.labs:
        assert row(page(phase), entry.id).endswith("| planned |") == entry.planned
        assert (f"{entry.lab.stem}.ipynb" in page(phase)) != entry.planned


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(path):
    """on pages, and in the sources of labs and tutorials, whose notebooks are in the same folder"""
    whole = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        whole = "\n".join(cell.text for cell in percent.read(path) if cell.kind == "markdown")
    text = re.sub(r"```.*?```|`[^`\n]*`", "", whole, flags=re.DOTALL)
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text)
    missing = [target for target in targets if not (path.parent / target).exists()]
    assert not missing, f"{path.name} links to {', '.join(missing)}"


def test_the_glossary_is_in_alphabetical_order_and_says_things_once():
    text = (ROOT / "phases" / "GLOSSARY.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)
    keys = [re.sub(r"[^a-z]", "", term.replace("(2+1)", "two plus one ").casefold()) for term in terms]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys) > 60
