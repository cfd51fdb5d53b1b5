"""The pages' English, counted: idioms that STYLE asks to change, and semicolons, with an allowance that only falls."""

import ast
import re

import pytest

from common.course.base import paths
from common.course.source import percent

ROOT = paths.root()
NOT_A_RUN = (
    "set data step loop clip run recipe split sample image example time batch code loss class curve pair log never"
)
UNITS = "clip frame sample student lab submission test exercise row step pixel channel batch"
IDIOMS = {
    "a training": rf"\b(a|another|each|every|this|that|one) training(?! ({'|'.join(NOT_A_RUN.split())}))\b",
    "trainings": r"\btrainings\b",
    "nobody, somebody": r"\b(no|some)body\b",
    "stands in, lies beside": r"\b(stands?|lies?) (in|on|beside|before|behind)\b",
    "lies beside, lies in memory": r"\b(stands?|lies?) (beside|before|behind|in memory|in a code)\b",
    "one X a Y": rf"\b((one|two|three|an?) \w+|\d[\d.,]* \w+s) an? ({'|'.join(UNITS.split())})\b",
    "what the model takes for": r"\bwhat (the|a) \w+ takes for\b",
    "hangs on": r"\bhangs? on\b",
    "changed places": r"\bchanged? places\b",
}
# What is left of each, in all pages together. Lower these numbers when you mend a page; never raise them.
ALLOWED = dict.fromkeys(IDIOMS, 0)
SEMICOLONS = 5.0  # per 1,000 words


def prose(path) -> str:
    """What people read of a file: a page's text, or the markdown cells of a percent source; no code."""
    if path.suffix == ".py":
        text = "\n".join(cell.text for cell in percent.read(path) if cell.kind == "markdown")
    else:
        text = path.read_text(encoding="utf-8")
    text = re.sub(r"(?s)```.*?```|\$\$.*?\$\$|`[^`]*`|<!--.*?-->", " ", text)
    return re.sub(r"\]\([^)]*\)", "]", text)


def first_lines() -> dict[str, str]:
    """The first docstring line of every public function and class of the library."""
    found = {}
    for path in (ROOT / "common").rglob("*.py"):
        if "course" in path.parts or "templates" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                line = (ast.get_docstring(node) or "").partition("\n")[0]
                found[f"{path.relative_to(ROOT)}:{node.name}"] = line
    return found


PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("phases/**/*.md"), *ROOT.glob("*/README.md"),
                *ROOT.glob("solutions/*/*.py"), *ROOT.glob("phases/*/*.py")])  # fmt: skip


# The other one has plain meanings in code, as "lie on a line".
EVERYWHERE = tuple(name for name in IDIOMS if name != "stands in, lies beside")


def texts() -> dict[str, str]:
    """Every text in the library and in the graders: docstrings and messages."""
    found = {}
    for path in [*(ROOT / "common").rglob("*.py"), *(ROOT / "tests" / "labs").glob("*/test_*.py")]:
        if "templates" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found[f"{path.relative_to(ROOT)}:{node.lineno}"] = node.value
    return found


@pytest.mark.parametrize("name", EVERYWHERE)
def test_an_idiom_is_in_no_text_of_the_library(name):
    found = [place for place, text in texts().items() if re.search(IDIOMS[name], text, re.IGNORECASE)]
    assert found == []


def hits(pattern: str) -> list[str]:
    found = []
    for path in PAGES:
        for match in re.finditer(pattern, prose(path), re.IGNORECASE):
            found.append(f"{path.relative_to(ROOT)}: {match[0]}")
    for place, line in first_lines().items():
        if re.search(pattern, line, re.IGNORECASE):
            found.append(f"{place}: {line}")
    return found


@pytest.mark.parametrize("name", IDIOMS)
def test_an_idiom_is_gone_or_going(name):
    found = hits(IDIOMS[name])
    assert len(found) <= ALLOWED[name], f"{len(found)} of {name!r}:\n" + "\n".join(found)


def test_semicolons_are_few():
    words = semicolons = 0
    for path in PAGES:
        text = prose(path)
        words += len(text.split())
        semicolons += text.count(";")
    assert 1000 * semicolons / words <= SEMICOLONS, f"{semicolons} semicolons in {words} words"
