"""The wheel stands alone: it holds the library and nothing else, and works with the library's dependencies alone."""

import email
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from common.course.building import hosted

ROOT = Path(__file__).resolve().parents[2]
NOT_THERE = ("IPython", "ipykernel", "ipywidgets", "jupyterlab", "jupytext", "nbformat", "nbclient", "nbgrader",
             "nbval", "pytest", "torchmetrics", "decord", "watchfiles", "hypothesis", "playwright", "pip")  # fmt: skip

LOOK_AROUND = f"""
import importlib.util, sys
import common.video, common.show, common.evaluation
from pathlib import Path
assert Path(common.__file__).resolve().is_relative_to(Path(sys.prefix).resolve()), common.__file__
course = [name for name in sys.modules if name.split(".")[0] in {NOT_THERE!r} or name.startswith("common.course")]
assert not course, course
assert not [name for name in {NOT_THERE!r} if importlib.util.find_spec(name)]
print("stands alone")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy: a build folder left in the checkout could slip old files in."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "common", source / "common", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("datasets", "tests/common"):  # the second must not get in
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "THIRD_PARTY_NOTICES.md"):
        shutil.copy(ROOT / name, source / name)
    isolation = ["--no-build-isolation"] if has_build_backend() else []
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *isolation, "-w", str(out), str(source)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    [path] = out.glob("*.whl")
    return path


def has_build_backend() -> bool:
    try:
        return int(importlib.metadata.version("setuptools").split(".")[0]) >= 77
    except importlib.metadata.PackageNotFoundError:
        return False


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """The interpreter of a new environment: the wheel, and beside it only what the wheel says it needs.

    The dependencies are linked, not copied: the same files as an installation has, without its half minute.
    """
    folder = tmp_path_factory.mktemp("alone") / "env"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    [site] = [path for path in folder.rglob("site-packages") if path.is_dir()]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        about = importlib.metadata.PathDistribution(site / Path(metadata).parent)
    for name in closure(about.requires):
        link(importlib.metadata.distribution(name), site)
    return interpreter(folder)


def interpreter(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def closure(requirements, extra: str = "") -> set[str]:
    """The distributions that these requirements need, with one extra, and those that they need, without any."""
    names, waiting = set(), [(requirement, extra) for requirement in requirements or []]
    while waiting:
        text, asked = waiting.pop()
        requirement = Requirement(text)
        if requirement.name in names or (requirement.marker and not requirement.marker.evaluate({"extra": asked})):
            continue
        names.add(requirement.name)
        waiting += [(needed, "") for needed in importlib.metadata.distribution(requirement.name).requires or []]
    return names


def link(distribution, site: Path) -> None:
    """Put a link to each top-level file and folder of an installed distribution into `site`."""
    for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
        original = Path(distribution.locate_file(top))
        if original.exists() and not (site / top).exists():
            (site / top).symlink_to(original, target_is_directory=original.is_dir())


def run(python: Path, code: str, folder: Path) -> subprocess.CompletedProcess:
    """Run code in that environment, away from the checkout, and with nothing that points back to it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "FLIPBOOK", "VIRTUAL_ENV", "COV_"))}
    return subprocess.run([python, "-I", "-c", code], cwd=folder, env=kept, capture_output=True, text=True, timeout=300)


def test_the_wheel_holds_common_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"common", "flipbook_video-0.1.0.dist-info"}
    assert not [name for name in names if "test_" in name or name.endswith((".ipynb", ".pyc"))]
    bundled = {path.relative_to(ROOT / "datasets").as_posix() for path in (ROOT / "datasets").rglob("*.mp4")}
    assert {name for name in names if name.endswith(".mp4")} == {f"common/_datasets/{name}" for name in bundled}
    assert {"LICENSE", "THIRD_PARTY_NOTICES.md"} <= {name.split("/")[-1] for name in names}


def test_every_file_of_the_library_is_in_the_wheel(wheel):
    """A template or a weight that package-data forgot is missing only in other people's installations."""
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "common").rglob("*") if path.is_file()}
    assert {name for name in here if "__pycache__" not in name and not name.endswith(".partial")} <= inside


def test_the_library_works_with_its_dependencies_alone(python, tmp_path):
    ran = run(python, LOOK_AROUND, tmp_path)
    assert ran.stdout.strip() == "stands alone", ran.stderr


def test_the_example_of_the_readme_runs(python, tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"<!-- example: library -->\s*```python\n(.*?)```", text, re.S)
    assert len(examples) == 1, "the README marks one block with <!-- example: library -->"
    lines = [line for line in examples[0].splitlines() if line.strip()]
    assert len(lines) <= 10
    ran = run(python, examples[0], tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert list(tmp_path.glob("*.mp4")) and list(tmp_path.glob("*.png"))


def flipbook(python: Path, folder: Path, *words: str) -> subprocess.CompletedProcess:
    """`flipbook WORDS` in that environment."""
    code = f"import sys; sys.argv[1:] = {list(words)!r}; from common.course.__main__ import main; main()"
    return run(python, code, folder)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("zoo", "sprites-vae"),
        ("data list", "leap"),
        ("doctor", "the library alone"),
        ("train digits-convlstm --preset ci --steps 1", "digits-convlstm"),
        ("train film-interpolator --preset ci --steps 1", "The finished weights"),  # one baseline needs OpenCV
        ("evaluate sprites-gan-frames", "The card says the same."),
    ],
)
def test_the_commands_of_practitioners_run_there(python, tmp_path, words, said):
    ran = flipbook(python, tmp_path, *words.split())
    assert ran.returncode == 0 and said in ran.stdout + ran.stderr, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "film-interpolator"], "OpenCV is not installed"),
        (["check", "01.1"], "not a Flipbook checkout"),
        (["watch"], "not a Flipbook checkout"),
        (["new", "03.1", "x"], "not a Flipbook checkout"),
        (["build", "01.1"], "not a Flipbook checkout"),
        (["generate", "a big lime circle"], "is not installed: `python -m pip install"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_what_needs_more_says_so_in_one_sentence(python, tmp_path, words, said):
    ran = flipbook(python, tmp_path, *words)
    assert ran.returncode in (1, 2) and said in ran.stderr and "Traceback" not in ran.stderr, ran.stderr


def test_show_draws_a_sheet_there(python, tmp_path):
    clip = tmp_path / "leap.mp4"
    shutil.copy(ROOT / "datasets" / "big_buck_bunny" / "leap.mp4", clip)
    ran = run(python, f"from common.cli.show import show; show([{str(clip)!r}, '-n', '4'])", tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "leap_sheet.png").is_file()


GRADED = """
from common.course.checking import runner
from common.course.source import lab_source

lab = lab_source.find_lab("01.2")
for target in ("solutions", "labs"):
    print(*[result.status for result in runner.run_tests(lab, "even_indices", submission=lab.notebook(target))])
"""


def test_a_hosted_notebook_becomes_the_course_by_its_first_cell(wheel, tmp_path):
    """Where nothing of ours is installed, the cell fetches the course and installs it, and a check judges.

    What the course needs is linked beforehand, at the pinned versions, so that pip finds it there already.
    """
    if not (ROOT / ".git").exists() or not has_build_backend():
        pytest.skip("no repository to fetch from, or nothing to build with")
    folder = tmp_path / "env"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    [site] = [path for path in folder.rglob("site-packages") if path.is_dir()]
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        needs = email.message_from_bytes(archive.read(name)).get_all("Requires-Dist")
    for name in {*closure(needs, "course"), *closure(["pip", "setuptools"])}:
        link(importlib.metadata.distribution(name), site)
    cell = f"import os; os.environ['PIP_NO_BUILD_ISOLATION'] = '0'\n{hosted.bootstrap(ROOT.as_uri())}\n{GRADED}"
    ran = run(interpreter(folder), cell, tmp_path)
    assert ran.returncode == 0, ran.stderr
    passed, untouched = (set(line.split()) for line in ran.stdout.splitlines())
    assert passed == {"pass"} and untouched == {"todo"}
