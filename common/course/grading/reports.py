"""The grade book: a table, CSV, JUnit XML, JSON, and for each student Gradescope's `results.json` and a feedback page.

    OUT/grades.csv   OUT/junit.xml   OUT/grades.json (with --json)
    OUT/feedback/STUDENT/LAB/{feedback.html, feedback.txt, results.json}

Names and messages come from students: every format gets them escaped its own way.
"""

import csv
import json
import os
import re
import tempfile
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from common.course.base.paths import CourseError
from common.course.base.results import score
from common.course.checking import render
from common.course.grading.batch import Row
from common.course.grading.submissions import readable
from common.course.source import syllabus
from common.files import reason

UNSAFE = (
    "Graded WITHOUT a sandbox (--unsafe): the submissions could read the answers, change files and use the network. "
    "Trust these grades only as far as you trust every notebook in the folder."
)
OURS = ("grades.csv", "junit.xml", "grades.json", "feedback")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # full-width signs too
NOTE = "⚑"  # no mark of a test: `!` is one
LONGEST_NAME = 80  # bytes: a file system counts them, not letters


@dataclass(frozen=True)
class Book:
    """What one call of `grade` found. `total` submissions were to be graded; `rows` may be fewer after Ctrl-C."""

    rows: list[Row]
    sandbox: str
    complete: bool
    total: int

    @property
    def unsafe(self) -> bool:
        return self.sandbox == "none"


def prepare(out: Path) -> None:
    """Try the output folder before any work is done.

    Raises:
        CourseError: nothing can be written there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out) as file:
            file.write(b"grades")
    except OSError as error:
        raise CourseError(
            f"reports cannot be written to {out}: {reason(error)}. Name another folder with --out."
        ) from None


def write(book: Book, out: Path, *, as_json: bool) -> Path | None:
    """Write every report. Returns where the reports of an earlier run were moved to, if there were any."""
    out.mkdir(parents=True, exist_ok=True)
    kept = _keep_earlier(out)
    for row, name in zip(book.rows, folder_names(book.rows)):
        try:
            _write_feedback(book, row, out / "feedback" / name)
        except OSError as error:
            row.notes.append(f"the feedback could not be written: {reason(error)}")
    _write_csv(book, out / "grades.csv")
    _write_junit(book, out / "junit.xml")
    if as_json:
        _write_text(out / "grades.json", json.dumps(as_data(book), indent=1, ensure_ascii=False) + "\n")
    return kept


def _write_feedback(book: Book, row: Row, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _write_text(folder / "results.json", json.dumps(gradescope(book, row), indent=1, ensure_ascii=False) + "\n")
    _write_text(folder / "feedback.txt", _as_text(book, row))
    _write_text(folder / "feedback.html", _template().render(**_page(book, row)))


def _keep_earlier(out: Path) -> Path | None:
    """Move an earlier run's reports aside: grades are never overwritten."""
    earlier = [name for name in OURS if (out / name).exists()]
    if not earlier:
        return None
    stamp = time.strftime("earlier-%Y%m%d-%H%M%S", time.localtime((out / earlier[0]).stat().st_mtime))
    kept, number = out / stamp, 1
    while kept.exists():
        number += 1
        kept = out / f"{stamp}-{number}"
    kept.mkdir()
    for name in earlier:
        os.replace(out / name, kept / name)
    return kept


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def folder_names(rows: list[Row]) -> list[str]:
    """A folder for each row, `STUDENT/LAB`: safe on every file system, no two alike even where case does not count."""
    taken: set[str] = set()
    names = []
    for row in rows:
        text = unicodedata.normalize("NFC", row.submission.student)
        safe = re.sub(r"[^\w@,()+-]+", "_", text, flags=re.UNICODE).strip("._-")
        safe = safe.encode()[:LONGEST_NAME].decode(errors="ignore").strip("._-") or "student"
        lab = row.submission.lab.id if row.submission.lab else "unknown"
        name, number = f"{safe}/{lab}", 1
        while name.casefold() in taken:
            number += 1
            name = f"{safe}-{number}/{lab}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _cell(text: str) -> str:
    """Text that a spreadsheet shows as it is: it computes nothing, and no letter turns the line around."""
    text = readable(" ".join(text.split()))
    return "'" + text if text.startswith(FORMULA) else text


def _exercises(row: Row) -> dict[str, tuple[float, float]]:
    return {name: score(group) for name, group in render.by_exercise(row.results).items()}


def _write_csv(book: Book, path: Path) -> None:
    columns = list(
        dict.fromkeys((r.submission.lab.id, name) for r in book.rows if r.submission.lab for name in _exercises(r))
    )
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        titles = [f"{lab} {name}" for lab, name in columns]
        writer.writerow(["student", "lab", "points", "max", "seconds", "sandbox", "file", "notes", *titles])
        for row in book.rows:
            lab = row.submission.lab.id if row.submission.lab else ""
            earned, points = row.points
            parts = _exercises(row)
            each = [f"{parts[name][0]:g}" if lab == of and name in parts else "" for of, name in columns]
            texts = [book.sandbox, _cell(str(row.submission.path)), _cell("; ".join(row.notes))]
            grade = ["", ""] if row.failure else [f"{earned:g}", f"{points:g}"]
            start = [_cell(row.submission.student), lab, *grade, f"{row.seconds:.1f}"]
            writer.writerow([*start, *texts, *each])


def _write_junit(book: Book, path: Path) -> None:
    suites = ElementTree.Element("testsuites", name="flipbook grade")
    for row in book.rows:
        lab = row.submission.lab.id if row.submission.lab else "unknown"
        bad = [r for r in row.results if not r.ok]
        failures = sum(r.status in ("fail", "todo", "blocked") for r in bad)
        counts = {"tests": len(row.results), "failures": failures, "errors": len(bad) - failures}
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            {name: str(count) for name, count in counts.items()},
            name=_xml(f"{row.submission.student}.{lab}"),
            time=f"{row.seconds:.2f}",
        )
        properties = ElementTree.SubElement(suite, "properties")
        ElementTree.SubElement(properties, "property", name="sandbox", value=book.sandbox)
        for note in row.notes:
            ElementTree.SubElement(properties, "property", name="note", value=_xml(note))
        for result in row.results:
            _add_case(suite, lab, result)
    ElementTree.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)


def _add_case(suite, lab: str, result) -> None:
    name, time_taken = _xml(result.test), f"{result.seconds:.3f}"
    case = ElementTree.SubElement(
        suite, "testcase", classname=f"{lab}.{_xml(result.exercise)}", name=name, time=time_taken
    )
    if not result.ok:
        kind = "failure" if result.status in ("fail", "todo", "blocked") else "error"
        ElementTree.SubElement(case, kind, type=result.status, message=_xml(result.message))


def _xml(text: str) -> str:
    """Text without the characters that XML has no way to write."""
    return NOT_XML.sub("\ufffd", text)


def as_data(book: Book) -> dict:
    """The grade book as data: what `--json` prints."""
    rows = []
    for row, folder in zip(book.rows, folder_names(book.rows)):
        earned, points = row.points
        tests = [
            {k: getattr(r, k) for k in ("test", "title", "exercise", "points", "earned", "status", "message")}
            for r in row.results
        ]
        rows.append(
            {
                "student": row.submission.student,
                "lab": row.submission.lab.id if row.submission.lab else None,
                "points": None if row.failure else earned,
                "max": points,
                "seconds": round(row.seconds, 2),
                "notes": row.notes,
                "file": str(row.submission.path).encode("utf-8", "backslashreplace").decode(),
                "feedback": f"feedback/{folder}",
                "tests": tests,
            }
        )
    return {"sandbox": book.sandbox, "unsafe": book.unsafe, "complete": book.complete, "submissions": rows}


def gradescope(book: Book, row: Row) -> dict:
    """Gradescope's `results.json`. Everything is plain text there, so nothing in a message is read as markup."""
    tests = []
    for number, result in enumerate(row.results, 1):
        hint = f"\nHint: {result.hint}" if result.hint and result.status in ("fail", "error", "timeout") else ""
        tests.append(
            {
                "name": f"{result.exercise}: {result.title}",
                "name_format": "text",
                "number": str(number),
                "score": result.earned,
                "max_score": result.points,
                "status": "passed" if result.ok else "failed",
                "output": "" if result.ok else (result.message or result.status) + hint,
                "output_format": "text",
                "tags": [result.exercise],
                "visibility": "visible",
            }
        )
    score = {} if row.failure else {"score": row.points[0]}  # without one Gradescope says that its grader failed
    return score | {
        "execution_time": round(row.seconds),
        "output": f"This submission was not graded: {row.problem}" if row.problem else "",
        "output_format": "text",
        "stdout_visibility": "hidden",
        "visibility": "visible",
        "tests": tests,
        "extra_data": {"notes": row.notes, "sandbox": book.sandbox, "unsafe": book.unsafe},
    }


def _as_text(book: Book, row: Row) -> str:
    lines = [row.submission.student]
    if row.problem:
        lines.append(f"This submission was not graded: {row.problem}.")
    elif row.submission.lab:
        lines.append(render.as_text(row.submission.lab, row.results, next_step=advice(row)))
    return "\n".join(lines + ([UNSAFE] if book.unsafe else [])) + "\n"


def advice(row: Row) -> str:
    """One line on what to do next."""
    problem = render.first_problem(row.results)
    if problem is None:
        return "Everything passes. Well done: these parts are yours now."
    if problem.status == "todo":
        return f"Next: write `{problem.exercise}`."
    return f"Where to look first: `{problem.exercise}`, at “{problem.title}”."


def _template():
    import jinja2

    text = Path(__file__).with_name("templates") / "feedback.html.j2"
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(text.read_text(encoding="utf-8"))


def _page(book: Book, row: Row) -> dict:
    """What the feedback page shows. `details` is the only part that is markup already: `render` escaped it."""
    earned, points = row.points
    exercises = [
        {"name": name, "earned": got, "points": most, "marks": [(render.MARKS[r.status], r.status) for r in group]}
        for (name, group), (got, most) in zip(render.by_exercise(row.results).items(), _exercises(row).values())
    ]
    lab = row.submission.lab
    return {
        "student": row.submission.student,
        "lab": f"Lab {lab.id} · {syllabus.title(lab)}" if lab else "Unknown lab",
        "problem": row.problem,
        "earned": earned,
        "points": points,
        "share": 100 * earned / points if points else 0,
        "exercises": exercises,
        "advice": "" if row.problem else advice(row),
        "details": render.as_html(lab, row.results) if lab and not row.problem else "",
        "warning": UNSAFE if book.unsafe else "",
    }


def as_table(book: Book) -> str:
    """The grade book for a terminal: one line per submission, one sign per test, its first note; then the signs."""
    names = [row.submission.student[:28] for row in book.rows]
    width = max([len(name) for name in names], default=0)
    lines = []
    for row, name in zip(book.rows, names):
        signs = "".join(render.mark(result) for result in row.results)
        lab = row.submission.lab.id if row.submission.lab else "  ?  "
        lines.append(f"{name:{width}}  {lab}  {_grade(row):>9}  {signs}{_first_note(row)}".rstrip())
    return "\n".join([*lines, f"{render.legend()}  {NOTE} note (+N: as many more, in grades.csv)"])


def _first_note(row: Row) -> str:
    if not row.notes:
        return ""
    more = f" (+{len(row.notes) - 1})" if len(row.notes) > 1 else ""
    return f"  {NOTE} {readable(row.notes[0][:90])}{more}"


def _grade(row: Row) -> str:
    earned, points = row.points
    return "ungraded" if row.failure or not points else f"{earned:g}/{points:g}"


def as_line(row: Row, number: int, total: int) -> str:
    """One submission as it is done, where no progress bar is drawn."""
    lab = row.submission.lab.id if row.submission.lab else "?"
    return f"{number} of {total}: {row.submission.student}  {lab}  {_grade(row)}{_first_note(row)}"


def where(book: Book, out: Path, kept: Path | None) -> str:
    """The last lines: how many, how safe, and where everything is."""
    noted, failed = sum(bool(row.notes) for row in book.rows), sum(bool(row.failure) for row in book.rows)
    unread = sum(not row.points[1] and not row.failure for row in book.rows)
    graded = f"{len(book.rows) - failed - unread} of {book.total} submissions graded"
    lines = [graded + ("" if book.complete else " (stopped early)")]
    if unread:
        lines[0] += f", {unread} that cannot be: their notes say why"
    if failed:
        lines[0] += f", {failed} not graded because grading failed: their notes say why, grade them again"
    lines[0] += f", {noted} with a note worth reading." if noted else "."
    lines.append(
        f"Grades: {out / 'grades.csv'}, {out / 'junit.xml'}. For each student: {out / 'feedback'}/STUDENT/LAB/."
    )
    if kept:
        lines.append(f"The reports of the run before are in {kept}.")
    return "\n".join(lines + ([UNSAFE] if book.unsafe else []))
