"""Wrong answers as edits of a base: one TOML file per exercise, beside the folder of its right answers.

    # tests/labs/01_tensors/answers/02_frame_extractor/even_indices.toml
    base = "library"

    [[wrong]]
    name = "truncates"
    thinks = "Cuts the fraction off instead of rounding."
    says = "truncated"
    edits = [['.round().astype(int)', '.astype(int)']]

`base` is the text that the edits change: `"library"` is the library's part (or, where the exercise has none, the
exercise's cell in the reference solution), and `"right_loop"` the answer `even_indices/right_loop.py`. A table may name
a base of its own. The base has no docstrings, so rewording one leaves the answers as they are.

`thinks` is the misconception. `says` holds words that the failing messages must contain, one string or a list. `edits`
is a list of `[old, new]`. They apply in order, and each `old` must occur exactly once at that moment. Otherwise the
answer is *malformed*, so an answer that a change of the library left behind is found. Several lines of code are best
written as literal strings: `'''…'''`.
"""

import ast
import tomllib
from dataclasses import replace
from pathlib import Path

from common.course.banks.answers import Answer
from common.course.base.paths import CourseError, Lab
from common.course.source import answer_key, lab_source
from common.course.source.lab_source import Exercise

LIBRARY = "library"
FILE_KEYS = ("base", "wrong")
ANSWER_KEYS = ("name", "base", "thinks", "says", "edits")


class Malformed(Exception):
    """Why a file, or one of its answers, cannot be used."""


def read_edits(path: Path, lab: Lab, exercise: Exercise, *, needs_reasons: bool) -> list[Answer]:
    """The wrong answers in one TOML file; what is wrong with one of them ends up in its `malformed`.

    Args:
        path: the file, `EXERCISE.toml`.
        lab: the lab.
        exercise: the exercise that the answers are for.
        needs_reasons: whether each answer must have `thinks` and `says`.
    """
    try:
        told = _read_tables(path)
    except Malformed as error:
        return [Answer(lab, exercise.name, "", path, malformed=str(error))]
    found: list[Answer] = []
    for number, table in enumerate(told["wrong"], 1):
        answer = _blank(path, lab, exercise, table, number)
        try:
            _check_table(table, needs_reasons)
            if any(answer.path == other.path for other in found):
                raise Malformed("another answer of this file has the same name")
            base = table.get("base", told.get("base", LIBRARY))
            code = apply(table["edits"], base_text(base, path, lab, exercise), base)
            found.append(replace(answer, code=code))
        except Malformed as error:
            found.append(replace(answer, malformed=str(error)))
    return found


def base_text(base: str, path: Path, lab: Lab, exercise: Exercise) -> str:
    """The code that the edits of `path` change, without docstrings.

    Raises:
        Malformed: there is no such base.
    """
    if base == LIBRARY:
        try:
            return without_docstrings(_reference(lab, exercise))
        except CourseError as error:
            raise Malformed(str(error)) from None
    places = [folder / exercise.name / f"{base}.py" for folder in (path.parent, lab.bank)]
    file = next((place for place in places if place.is_file()), None)
    if file is None or not base.startswith("right_"):
        raise Malformed(f'there is no base {base!r}: it is "library", or a right answer such as "right_loop"')
    try:
        return without_docstrings(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise Malformed(f"its base {base!r} is not Python: {error}") from None


def apply(edits: list, text: str, base: str = LIBRARY) -> str:
    """The text after these edits.

    Raises:
        Malformed: an `old` does not occur exactly once, or the result is not Python, or nothing changed.
    """
    before = text
    for number, (old, new) in enumerate(edits, 1):
        count = text.count(old) if old else 0
        if count != 1:
            raise Malformed(
                f"the old text of edit {number} occurs {count} times in the base {base!r}, not once: {old!r}"
            )
        text = text.replace(old, new)
    if text == before:
        raise Malformed("its edits change nothing")
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise Malformed(f"after its edits it is not Python: {error}") from None
    return text


def without_docstrings(code: str) -> str:
    """The code without the docstrings of its module, classes and functions, and without blank lines around it."""
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if len(node.body) < 2 or ast.get_docstring(node, clean=False) is None:
            continue  # a body that is only a docstring stays
        first, after = node.body[0].lineno, node.body[0].end_lineno
        while after < len(lines) and not lines[after].strip():
            after += 1
        lines[first - 1 : after] = [None] * (after - first + 1)  # the numbers of the other lines stay as they are
    return "\n".join(line for line in lines if line is not None).strip("\n") + "\n"


def _reference(lab: Lab, exercise: Exercise) -> str:
    """The course's own answer: the library's part, or the exercise's cell without its solution markers."""
    if exercise.library:
        return answer_key.cut(exercise).text
    cells = lab_source.read(lab.source)
    text = next(cell.text for cell in cells if cell.keys.get("exercise") == exercise.name)
    markers = (answer_key.BEGIN, answer_key.END)
    return "\n".join(line for line in text.splitlines() if line.strip() not in markers)


def _read_tables(path: Path) -> dict:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Malformed(f"it is not TOML: {error}") from None
    _only_known(told, FILE_KEYS)
    if not isinstance(told.get("base", ""), str):
        raise Malformed("`base` is a string")
    tables = told.get("wrong")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise Malformed("it holds no [[wrong]] tables")
    return told


def _blank(path: Path, lab: Lab, exercise: Exercise, table: dict, number: int) -> Answer:
    """The answer of a table before its edits; whatever the table lacks is left out."""
    name, thinks, says = table.get("name"), table.get("thinks"), table.get("says", ())
    words = (says,) if isinstance(says, str) else tuple(says) if _are_strings(says) else ()
    return Answer(
        lab,
        exercise.name,
        "wrong",
        path.with_name(f"{path.name}#{name if isinstance(name, str) and name else number}"),
        misconception=" ".join(thinks.split()) if isinstance(thinks, str) else "",
        words=words,
    )


def _check_table(table: dict, needs_reasons: bool) -> None:
    """Whether the table has what an answer needs, each of its kind."""
    _only_known(table, ANSWER_KEYS)
    needed = ("name", "thinks", "says") if needs_reasons else ("name",)
    for key in ("name", "base", "thinks", "says"):
        value = table.get(key)
        if key in needed and not value:
            raise Malformed(f"it has no `{key}`")
        if value is not None and not isinstance(value, str) and not (key == "says" and _are_strings(value)):
            raise Malformed(f"`{key}` is a string" + (" or a list of strings" if key == "says" else ""))
    edits = table.get("edits")
    pairs = isinstance(edits, list) and all(_are_strings(edit) and len(edit) == 2 for edit in edits)
    if not edits or not pairs:
        raise Malformed("`edits` is a list of [old, new], both strings, and holds at least one")


def _are_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _only_known(table: dict, known: tuple[str, ...]) -> None:
    unknown = sorted(table.keys() - set(known))
    if unknown:
        raise Malformed(f"it has no use for the key `{unknown[0]}`; the keys are {', '.join(known)}")
