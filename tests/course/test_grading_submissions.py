"""What grading finds and reads in a class's folder, and the reports that it writes."""

import csv
import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from common.course.base import paths
from common.course.base.paths import CourseError, Lab
from common.course.base.results import Result
from common.course.checking import loader
from common.course.grading import reports, stage, submissions, suspects
from common.course.grading.batch import Row
from common.course.grading.submissions import Submission

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnknownMarkWarning")


# --- finding and reading submissions


def notebook(*cells, **metadata) -> str:
    made = [{"cell_type": "code", "metadata": {}, "source": source, "outputs": []} for source in cells]
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def klass(mini_course, tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    mini_course.write(folder / "alice" / "01_numbers.ipynb")
    return folder


def found(folder, **options) -> dict:
    return {s.student: s for s in submissions.find(folder, **options)}


def test_every_way_to_arrange_a_class(klass, mini_course):
    for path in (
        "bob.ipynb",
        "section 1/carol/01_tiny/01_numbers.ipynb",
        "dora_01_numbers.ipynb",
        "eve/.ipynb_checkpoints/x.ipynb",
    ):
        mini_course.write(klass / path)
    got = found(klass)
    assert list(got) == ["alice", "bob", "dora", "section 1/carol", "eve"]
    assert got["eve"].problem == "this folder holds no notebook"
    assert all(s.lab == mini_course.lab for s in got.values() if s.gradable)


NOT_GRADABLE = {
    "empty": (b"", "empty"),
    "broken": (b'{"cells": [', "JSON"),
    "binary": (b"\x89PNG\xff\xfe", "JSON"),
    "list": (b"[]", "no list of cells"),
    "null": (b'{"cells": null}', "no list of cells"),
    "deep": (b"[" * 100_000, "JSON is nested too deeply"),
    "long": (b"[" + b"9" * 5000 + b"]", "JSON has a number with too many digits"),
    "stranger": (notebook("def other(): pass").encode(), "--lab"),
}


def test_what_is_no_notebook_is_a_row_with_a_reason(klass):
    for name, (data, _) in NOT_GRADABLE.items():
        (klass / f"{name}.ipynb").write_bytes(data)
    with (klass / "huge.ipynb").open("wb") as file:
        file.truncate(submissions.MAX_SIZE + 1)
    os.mkfifo(klass / "pipe.ipynb")
    got = found(klass)
    for name, (_, words) in NOT_GRADABLE.items():
        assert words in got[name].problem
    assert "too large" in got["huge"].problem and "ordinary" in got["pipe"].problem
    assert got["alice"].gradable


def test_links_are_never_followed(klass, tmp_path):
    outside = tmp_path / "private"
    outside.mkdir()
    (outside / "secret.ipynb").write_text(notebook("SECRET = 1"))
    (klass / "linked.ipynb").symlink_to(outside / "secret.ipynb")
    (klass / "linked_folder").symlink_to(outside)
    got = found(klass)
    for name in ("linked", "linked_folder"):
        assert "not followed" in got[name].problem and not got[name].cells


def test_cells_of_any_shape_are_read_or_left_out(klass):
    cells = [7, None, {"cell_type": "code"}, {"cell_type": "code", "source": 5, "metadata": [], "tags": 3}]
    cells += [{"cell_type": "code", "source": ["a = 1\n", 2], "metadata": {"tags": "x", "flipbook": []}}]
    path = klass / "odd_01_numbers.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": []}))
    assert [cell["source"] for cell in found(klass)["odd"].cells] == ["", "", "a = 1\n2"]
    assert [cell.source for cell in loader.read_cells(path)] == ["", "", "a = 1\n2"], "check reads what grade reads"


@pytest.mark.parametrize(
    "name", ["-rf", "a b'c\"d", "<script>", "=cmd()", "naïve", "..hidden", "x" * 200, "new\nline", "\u202egnp"]
)
def test_any_file_name_gives_a_row_and_a_safe_folder(klass, mini_course, name):
    mini_course.write(klass / f"{name}.ipynb")
    rows = [Row(s) for s in submissions.find(klass)]
    assert len(rows) == 2
    for folder in reports.folder_names(rows):
        assert re.fullmatch(r"[\w@,()+-][\w@,()+. -]*/01\.1", folder) and len(folder) < 100
    assert all(s.student.isprintable() for s in (row.submission for row in rows))


def stub(name):
    return f"def {name}(x):\n    raise NotImplementedError()"


def test_the_students_own_notebook_comes_before_its_blank_copy(mini_course, tmp_path):
    """the lab's own file name first, unless nothing is written in it; every row says which other files there are"""
    blank = {name: stub(name) for name in ("double", "quadruple", "greeting")}
    one = {"quadruple": stub("quadruple"), "greeting": stub("greeting")}
    for student, files in {
        "ann": {"01_numbers-Copy1.ipynb": blank, "01_numbers.ipynb": {}},
        "ben": {"01_numbers-Copy1.ipynb": {}, "01_numbers.ipynb": one},
        "cleo": {"01_numbers (1).ipynb": one, "01_numbers (2).ipynb": {}},
        "dan": {"01_numbers.ipynb": blank, "01_numbers-Copy1.ipynb": {}},
    }.items():
        for name, cells in files.items():
            mini_course.write(tmp_path / student / name, cells)
    got = found(tmp_path)
    best = {student: got[student].path.name for student in ("ann", "ben", "cleo", "dan")}
    assert best == {"ann": "01_numbers.ipynb", "ben": "01_numbers.ipynb", "cleo": "01_numbers (2).ipynb",
                    "dan": "01_numbers-Copy1.ipynb"}  # fmt: skip
    assert "this row is the first of them" in got["ann"].notes[0]
    assert "the first is 01_numbers.ipynb" in got["ann (2)"].notes[0]


def test_whatever_is_in_the_folder_gets_a_row(klass, mini_course):
    """a renamed notebook is read; an archive, half a download or a text says why it is none"""
    mini_course.write(klass / "bob.ipynb.txt")
    mini_course.write(klass / "cid" / "01_numbers.json")
    (klass / "dot").mkdir()
    for name in ("eve.zip", "fay.ipynb.crdownload", "gus/notes.docx", "alice/plot.png", ".DS_Store", "hal/data.json"):
        (klass / name).parent.mkdir(exist_ok=True)
        (klass / name).write_bytes(b"{}")
    got = found(klass)
    assert {"bob", "cid"} <= {name for name, s in got.items() if s.gradable}
    assert "its name is bob.ipynb.txt" in got["bob"].notes[0]
    assert "archive" in got["eve"].problem and "did not finish" in got["fay"].problem
    assert "notes.docx is not a notebook" in got["gus"].problem and "data.json" in got["hal"].problem
    assert got["dot"].problem == "this folder holds no notebook"
    assert got["alice"].notes == ["not graded: plot.png"]
    assert set(got) == {"alice", "bob", "cid", "dot", "eve", "fay", "gus", "hal"}


def test_what_cannot_be_graded_is_not_counted_as_graded(tmp_path):
    lab = Lab("01_tiny", "01_numbers")
    done = Row(Submission("ann", Path("x"), lab), [Result("t", "", "double", 2, status="fail")])
    rows = [done, Row(Submission("ben", Path("y"), problem="the file is empty"), notes=["the file is empty"])]
    book = reports.Book(rows, "none", True, 2)
    assert "ann  01.1        0/2" in reports.as_table(book) and "ungraded    ⚑ the file" in reports.as_table(book)
    assert reports.where(book, tmp_path, None).startswith(
        "1 of 2 submissions graded, 1 that cannot be: their notes say why, 1 with a note worth reading."
    )


def test_a_note_and_a_crash_have_marks_of_their_own():
    lab = Lab("01_tiny", "01_numbers")
    crashed = Row(Submission("ann", Path("x"), lab), [Result("t", "", "double", 2, status="error")])
    noted = Row(
        Submission("ben", Path("y"), lab), [Result("t", "", "double", 2, status="pass")], ["first", "second", "x"]
    )
    ann, ben, legend = reports.as_table(reports.Book([crashed, noted], "none", True, 2)).splitlines()
    assert ann.endswith("0/2  !") and ben.endswith("2/2  ✔  ⚑ first (+2)")
    assert "! error" in legend and legend.endswith("⚑ note (+N: as many more, in grades.csv)")


def test_a_file_name_does_not_turn_the_grade_book_around(tmp_path):
    name = "a\x1b[31m\u202egnp.ipynb"
    row = Row(Submission("ann", tmp_path / name), notes=[f"not graded: {name}"])
    reports.write(reports.Book([row], "none", True, 1), tmp_path / "out", as_json=False)
    text = (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8-sig")
    assert text.count(r"a\x1b[31m\u202egnp.ipynb") == 2 and "\x1b" not in text and "\u202e" not in text


def test_too_much_code_is_refused_before_it_is_parsed(klass):
    (klass / "big.ipynb").write_text(notebook("x = (" + "1," * submissions.MAX_CODE + ")"))
    assert "characters" in found(klass)["big"].problem


def test_notes_are_few_and_short():
    notes = submissions.short_notes([f"note {k} " + "x" * 1000 for k in range(50)] + ["note"])
    assert len(notes) == submissions.MAX_NOTES and notes[-1] == "and 42 more"
    assert max(map(len, notes)) == submissions.MAX_NOTE
    assert submissions.short_notes(["a", "a", "b"]) == ["a", "b"]


def test_names_in_any_script_make_folders_that_a_file_system_takes():
    names = ("名" * 90, "é" * 90, "a" * 300, "ﷺ" * 60)
    rows = [Row(Submission(name, Path("x"), Lab("01_tiny", "01_numbers"))) for name in names]
    for folder in reports.folder_names(rows):
        assert len(folder.split("/")[0].encode()) <= 255


def test_a_report_that_cannot_be_written_is_a_note_and_the_rest_is_there(tmp_path, monkeypatch):
    rows = [Row(Submission(name, Path("x"), Lab("01_tiny", "01_numbers"))) for name in ("ann", "ben")]

    def write(book, row, folder):
        if row.submission.student == "ann":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(reports, "_write_feedback", write)
    reports.write(reports.Book(rows, "none", True, 2), tmp_path, as_json=False)
    assert rows[0].notes == ["the feedback could not be written: no space left on device"] and not rows[1].notes
    assert "no space left" in (tmp_path / "grades.csv").read_text(encoding="utf-8-sig")


def test_an_output_folder_that_cannot_be_written_is_said_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="cannot be written to"):
        reports.prepare(tmp_path / "file" / "out")


def test_what_the_lab_itself_hands_out_earns_no_note():
    """its set-up, and names that an exercise gives its own arguments"""
    cells = [{"source": "def f(requests, socket):\n    return requests[0], socket", "tags": [], "exercise": "f",
              "is_check": False}]  # fmt: skip
    assert suspects.scan(cells) == []
    cells[0]["source"] = "import requests\nrequests.get('x')"
    assert suspects.scan(cells) == ["`f`, line 1: reaches for the network (`requests`)"]
    for lab in paths.all_labs():
        notebook = lab.notebook("solutions")
        found = submissions._read(notebook, notebook.parent, paths.all_labs(), None)
        assert found.notes == [], lab.id


def test_folders_that_differ_in_case_stay_apart():
    rows = [Row(Submission(name, Path("x"), Lab("01_tiny", "01_numbers"))) for name in ("Ann", "ann", "ann?", "ann!")]
    folders = reports.folder_names(rows)
    assert len({folder.casefold() for folder in folders}) == 4


def test_a_lab_is_known_by_metadata_then_name_then_functions(klass, mini_course):
    other = Lab("01_tiny", "02_other")
    by_name, by_content = Path("02_other.ipynb"), Path("homework.ipynb")
    labs = [mini_course.lab, other]
    cells = [{"source": "def double(x): pass", "exercise": "", "tags": [], "is_check": False}]
    other.source.write_text("# %%\n")
    other.tests.write_text("")
    assert submissions.identify(by_name, {"metadata": {"flipbook": {"lab": "01.1"}}}, cells, labs) == mini_course.lab
    assert submissions.identify(by_name, {}, cells, labs) == other
    assert submissions.identify(by_content, {}, cells, labs) == mini_course.lab
    assert submissions.identify(by_content, {}, [], labs) is None


def test_what_a_cell_means_comes_from_the_course_and_not_from_the_student():
    liar = {"source": "x = 1", "tags": ["exercise"], "exercise": "double", "is_check": False}
    stranger = {**liar, "exercise": "common.course.plugin:_judge"}
    exercise = stage.lab_source.Exercise("double", "common.video.sampling:even_indices")
    sent = json.loads(submissions.sanitized(Submission("s", Path("x"), cells=[liar, stranger]), [exercise]))
    meant = [cell["metadata"]["flipbook"] for cell in sent["cells"]]
    assert meant == [{"exercise": "double", "from": "common.video.sampling:even_indices", "blank": []}, {}]


# --- reports

NASTY = "</pre><script>alert(1)</script> & \"quoted\" 'x' \x00\x0b\ufffe ]]> {{ 7*7 }}"


@pytest.fixture
def book():
    lab = Lab("01_tensors", "02_frame_extractor")
    results = [
        Result("test_a", "a <b>holds</b>", "part", 2.0, status="pass"),
        Result("test_b", NASTY, "other<i>", 1.5, hint=NASTY, status="fail", message=NASTY),
    ]
    rows = [
        Row(Submission('=HYPERLINK("x")', Path("=1+1.ipynb"), lab), results, ["@note", NASTY], 1.0),
        Row(Submission("<img src=x onerror=alert(1)>", Path("b"), lab, problem="not a <notebook>"), [], [], 0.0),
    ]
    return reports.Book(rows, "bubblewrap", True, 2)


def test_no_report_lets_a_student_write_markup_or_formulas(book, tmp_path):
    reports.write(book, tmp_path, as_json=True)
    table = list(csv.reader((tmp_path / "grades.csv").open(encoding="utf-8-sig")))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for row in table for cell in row)
    suites = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert suites[0].find("testcase/failure").get("message").startswith("</pre><script>")
    pages = list(tmp_path.rglob("feedback.html"))
    assert len(pages) == 2
    for page in pages:
        text = page.read_text()
        assert "default-src 'none'" in text
        assert not re.search(r"<(script|img|b>holds|i>|notebook)", text)
    assert any("{{ 7*7 }}" in page.read_text() for page in pages)  # shown as written, computed by no one


def test_points_are_partial_and_agree_everywhere(book, tmp_path):
    reports.write(book, tmp_path, as_json=True)
    first = next(csv.DictReader((tmp_path / "grades.csv").open(encoding="utf-8-sig")))
    assert (first["points"], first["max"], first["01.2 part"]) == ("2", "3.5", "2")
    data = json.loads((tmp_path / "grades.json").read_text())["submissions"][0]
    scope = json.loads((tmp_path / data["feedback"] / "results.json").read_text())
    assert data["points"] == scope["score"] == sum(test["score"] for test in scope["tests"]) == 2.0
    assert sum(test["max_score"] for test in scope["tests"]) == data["max"] == 3.5
    assert {test["output_format"] for test in scope["tests"]} == {"text"}


def test_an_earlier_grade_book_is_kept(book, tmp_path):
    reports.write(book, tmp_path, as_json=False)
    before = (tmp_path / "grades.csv").read_bytes()
    kept = reports.write(reports.Book(book.rows[:1], "bubblewrap", False, 2), tmp_path, as_json=False)
    assert (kept / "grades.csv").read_bytes() == before and (kept / "feedback").is_dir()
    assert str(kept) in reports.where(book, tmp_path, kept)


def test_grading_without_a_sandbox_is_said_in_every_report(book, tmp_path):
    reports.write(reports.Book(book.rows, "none", True, 2), tmp_path, as_json=True)
    for page in [*tmp_path.rglob("feedback.html"), *tmp_path.rglob("feedback.txt")]:
        assert "WITHOUT a sandbox" in page.read_text()
    assert all(json.loads(p.read_text())["extra_data"]["unsafe"] for p in tmp_path.rglob("results.json"))
    assert {row["sandbox"] for row in csv.DictReader((tmp_path / "grades.csv").open(encoding="utf-8-sig"))} == {"none"}
    assert json.loads((tmp_path / "grades.json").read_text())["unsafe"] is True
