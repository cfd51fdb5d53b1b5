"""The parts of batch grading: what is believed, what is found, what the sandbox hides, what the reports say."""

import csv
import json
import os
import random
import re
import struct
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from common.course.grading import protocol, reports, sandbox, seccomp, stage, submissions, supervise
from common.course.grading.batch import Row
from common.course.grading.submissions import Submission
from common.course.paths import CourseError, Lab
from common.course.results import Result

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnknownMarkWarning")
KEY = bytes(range(32))
TEST = Result("test_a", "a holds", "part", 2.0)


@pytest.fixture
def channel():
    """A teller, and a function that gives the raw bytes that it wrote."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    yield protocol.make_teller(writable, bytearray(KEY)), lambda: os.read(readable, 1 << 20)
    os.close(readable)
    os.close(writable)


def test_a_signed_event_arrives_as_it_was_sent(channel):
    tell, sent = channel
    tell("end", "test_a", "fail", 'words "quoted" \n ünïcode \ud800', [("label", "data")])
    got = protocol.EventReader(KEY).feed(sent())
    assert got == [["end", "test_a", "fail", 'words "quoted" \n ünïcode \ud800', [["label", "data"]]]]


def test_the_key_is_wiped():
    secret = bytearray(KEY)
    protocol.make_teller(1, secret)
    assert secret == bytes(32)


def test_changed_foreign_and_repeated_lines_are_noted_and_never_events(channel):
    tell, sent = channel
    tell("end", "test_a", "fail", "", [])
    line = sent()
    for forged in (line.replace(b"fail", b"pass"), b"x" * 64 + line[65:], b"[0]\n", b"\xff\xfe\n"):
        reader = protocol.EventReader(KEY)
        assert reader.feed(forged) == []
        assert reader.notes == ["results without a valid signature were written"]
    reader = protocol.EventReader(KEY)
    assert len(reader.feed(line)) == 1
    assert reader.feed(line) == []
    assert reader.notes == ["results were written a second time or out of order"]


def test_half_a_line_of_garbage_swallows_no_signed_one(channel):
    tell, sent = channel
    tell("ready")
    assert protocol.EventReader(KEY).feed(b"garbage without an end" + sent()) == [["ready"]]


def test_an_endless_line_counts_as_a_flood():
    reader = protocol.EventReader(KEY)
    reader.feed(bytes(protocol.MAX_LINE + 1))
    assert reader.flooded


def run_of(*events, controls=None) -> supervise.Run:
    run = supervise.Run({"test_a": TEST, "test_b": Result("test_b", "b holds", "part")}, controls or {})
    for event in events:
        run.take(*event)
    return run


@pytest.mark.parametrize(
    "events",
    [
        [("end", "test_a", "pass", "", [])],
        [("start", "test_a"), ("end", "test_b", "pass", "", [])],
        [("start", "test_a"), ("start", "test_b")],
        [("start", "test_a"), ("end", "test_a", "pass", "", []), ("end", "test_a", "pass", "", [])],
        [("start", "test_a"), ("end", "test_a", "pass", "", []), ("start", "test_a")],
        [("start", "test_a"), ("end", "test_a", "splendid", "", [])],
        [("start", "test_a"), ("end", "test_a", "blocked", "", [])],
        [("start", "test_unknown")],
        [("start", "test_a"), ("done",)],
        [("start",)],
        [("promote", "test_a")],
    ],
)
def test_events_that_contradict_each_other_void_everything(events):
    assert "contradict" in run_of(*events).broken


CONTROL = {"test_c": stage.Control("test_c", "tag:NYN.", "tag:NYNNY.")}


def passed(name):
    return [("start", name), ("end", name, "pass", "", [])]


def test_a_pass_counts_only_after_a_right_control():
    assert "test_a" not in run_of(*passed("test_a"), controls=CONTROL).confirmed
    right = [("start", "test_c"), ("end", "test_c", "fail", "tag:NYN.", [])]
    assert run_of(*passed("test_a"), *right, controls=CONTROL).confirmed["test_a"].ok
    wrong = [("start", "test_c"), ("end", "test_c", "fail", "tag:YYY.", [])]
    assert "test_a" not in run_of(*passed("test_a"), *wrong, controls=CONTROL).confirmed


def test_a_control_that_passes_and_cannot_voids_everything():
    assert "control" in run_of(*passed("test_a"), *passed("test_c"), controls=CONTROL).broken


def test_points_and_titles_come_from_the_tests_alone():
    run = run_of(("start", "test_a"), ("end", "test_a", "fail", "no\x1b[2J\x00", []))
    run.settle()
    got = run.confirmed["test_a"]
    assert (got.points, got.title, got.exercise, got.message) == (2.0, "a holds", "part", "no\ufffd[2J\ufffd")


def test_only_pictures_are_kept_as_pictures():
    png = "iVBORw0KGgo="
    pairs = [("fine", png), ('" onerror="alert(1)', 'x"><script>'), ("not one", "aGVsbG8=")]
    assert supervise._pngs([pairs[0]]) == [("fine", png)]
    assert supervise._pngs(pairs[1:]) == []


GRADER = """
import pytest

mark = pytest.mark.exercise

@mark("first")
@pytest.mark.parametrize("n", [1, 2])
def test_one(lab, n):
    assert lab

@mark("second")
def test_two(lab):
    assert lab

class TestMore:
    @mark("second")
    def test_three(self, lab):
        assert lab
"""


def test_controls_fail_with_the_words_that_whole_tools_give():
    tests = [Result("test_one[1]", "", "first"), Result("test_two", "", "second")]
    tests += [Result("TestMore::test_three", "", "second")]
    for number in range(40):
        text, controls = stage.with_controls(GRADER, tests, random.Random(number))
        assert len(controls) == 2
        space: dict = {}
        exec(compile(text, "grader", "exec"), space)
        for name, control in controls.items():
            with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
                space[name](None)
            assert control.answered("fail", str(caught.value), with_torch="torch" in sys.modules)
            assert not control.answered("pass", str(caught.value), with_torch="torch" in sys.modules)
        order = re.findall(r"(?m)^(?:def|class) (\w+)", text)
        assert order[0] == "test_one" and order[1] in controls and order[-1] in controls


def test_a_bent_tool_shows_in_the_words(monkeypatch):
    import torch

    monkeypatch.setattr(torch, "equal", lambda *tensors: True)
    answers = []
    for number in range(20):
        code, control = stage._control(random.Random(number))
        space: dict = {}
        exec(compile(code, "grader", "exec"), space)
        with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
            space[control.test](None)
        answers.append(control.answered("fail", str(caught.value), with_torch=True))
    assert 0 < sum(answers) < 20  # right only where the numbers are equal


def test_torch_is_loaded_for_whoever_may_use_it():
    assert not stage.needs_torch(["import math\nfrom common.course import check\nimport pytest\n"])
    for text in (
        "import torch",
        "  from torch.nn import functional",
        "import numpy as np",
        "from common.video import x",
    ):
        assert stage.needs_torch(["import math", text])


def decided(program: bytes, number: int, first_argument: int = 0, architecture: int = 0xC000003E) -> int:
    """What the kernel would answer: a reader of the few BPF instructions that the filter uses."""
    data = {0: number, 4: architecture, 16: first_argument}
    at, value = 0, 0
    while True:
        code, if_true, if_false, operand = struct.unpack_from("=HBBI", program, 8 * at)
        at += 1
        if code == seccomp.RETURN:
            return operand
        if code == seccomp.LOAD:
            value = data[operand]
            continue
        holds = {
            seccomp.JUMP_EQUAL: value == operand,
            seccomp.JUMP_AT_LEAST: value >= operand,
            seccomp.JUMP_ANY_BIT: bool(value & operand),
        }[code]
        at += if_true if holds else if_false


def test_the_filter_lets_threads_through_and_no_process():
    program = seccomp.program("x86_64")
    threads = 0x3D0F00
    assert decided(program, 56, threads) == seccomp.ALLOW
    for number, argument in ((56, 17), (56, 0x4111), (57, 0), (58, 0), (101, 0), (310, 0), (272, 0)):
        assert decided(program, number, argument) == seccomp.EPERM
    assert decided(program, 435) == decided(program, 1 | seccomp.X32_BIT) == seccomp.ENOSYS
    assert decided(program, 1, architecture=0x40000003) == seccomp.KILL
    assert decided(program, 0) == seccomp.ALLOW
    assert decided(seccomp.program("aarch64"), 220, 17, architecture=0xC00000B7) == seccomp.EPERM
    assert seccomp.program("riscv64") is None


def test_without_bubblewrap_grading_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CourseError, match=r"(?s)bubblewrap.*--unsafe"):
        sandbox.Bubblewrap([])


def test_what_is_hidden_inside_a_mount_is_covered(tmp_path):
    (tmp_path / "lib" / "checkout").mkdir(parents=True)
    shown = {str(tmp_path / "lib"): "/usr/lib"}
    assert "/usr/lib/checkout" in sandbox._covered(shown, [tmp_path / "lib" / "checkout", tmp_path / "elsewhere"])


def test_no_mount_shows_the_checkout():
    here = Path(__file__).resolve().parents[2]
    mounts = sandbox._mounts([here])
    sources = [Path(mounts[i + 1]) for i, word in enumerate(mounts) if word == "--ro-bind"]
    site = [Path(folder) for folder in sandbox._site_folders()]
    shown = [source for source in sources if source.is_relative_to(here) and source not in site]
    assert shown == []
    assert any(word.endswith(".pth") for word in mounts)


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
    "deep": (b"[" * 100_000, "JSON"),
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
    (klass / "odd_01_numbers.ipynb").write_text(json.dumps({"cells": cells, "metadata": []}))
    assert [cell["source"] for cell in found(klass)["odd"].cells] == ["", "", "a = 1\n2"]


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


def test_a_second_notebook_of_one_student_is_graded_and_told_apart(klass, mini_course):
    mini_course.write(klass / "alice.ipynb")
    got = found(klass)
    assert set(got) == {"alice", "alice (2)"}
    assert "second notebook" in got["alice (2)"].notes[0]


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
    exercise = stage.source.Exercise("double", "common.video.sampling:even_indices")
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
    assert any("{{ 7*7 }}" in page.read_text() for page in pages)  # shown as written, computed by nobody


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
