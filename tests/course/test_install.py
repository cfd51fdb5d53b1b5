"""What gets installed can be installed: on every Python that pyproject.toml allows, with nothing left to chance.

And the installer tells the truth about it: size, progress, time left, and what went wrong.
"""

import io
import itertools
import json
import os
import re
import subprocess
import sys
import sysconfig
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import pytest

from common.course import install
from common.course.base import paths
from common.course.setup import doctor, install_progress
from common.course.setup.install_progress import Bar, Progress, TimeLeft

# In constraints.txt for other machines than the one that the tests run on.
FOR_OTHER_MACHINES = re.compile(r"appnope|colorama|pywinpty|cuda-|nvidia-|triton|decord|greenlet|ptyprocess|pexpect")


def project() -> dict:
    return tomllib.loads((paths.root() / "pyproject.toml").read_text())["project"]


def requirements() -> list[str]:
    """What an installation asks for: the library and the extras course, models and dev."""
    extras = project()["optional-dependencies"]
    return [*project()["dependencies"], *extras["course"], *extras["models"], *extras["dev"]]


def resolve(version: str, folder: Path) -> tuple[int, str, dict[str, str]]:
    """Let pip resolve everything for this version of Python: (exit code, output, name -> version)."""
    report = folder / f"{version}.json"
    command = [
        sys.executable, "-P", "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
        "--only-binary=:all:", "--use-feature=fast-deps", "--python-version", version,
        "--target", str(folder / version), "-c", str(paths.root() / "constraints.txt"),
        "--report", str(report), *requirements(),
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=400)
    entries = json.loads(report.read_text())["install"] if run.returncode == 0 else []
    found = {doctor.normal(e["metadata"]["name"]): e["metadata"]["version"].split("+")[0] for e in entries}
    return run.returncode, run.stdout + run.stderr, found


def test_every_allowed_python_gets_wheels_for_everything_at_the_pinned_versions(tmp_path):
    """`requires-python` is the range for which pip finds every wheel, from each version's first release on."""
    low, end = doctor.supported_python()
    versions = [f"3.{minor}.0" for minor in range(low[1], end[1])]
    with ThreadPoolExecutor(len(versions)) as pool:
        answers = list(pool.map(lambda version: resolve(version, tmp_path), versions))
    pinned = doctor.constraints()
    for version, (code, output, found) in zip(versions, answers, strict=True):
        if code and "(from versions: none)" in output and os.environ.get("CI") != "true":
            pytest.skip("no package index can be reached")
        assert code == 0, f"Python {version}: {output[-2000:]}"
        assert {name: pinned.get(name) for name in found} == found, (
            f"constraints.txt leaves something open on {version}"
        )


def test_this_environment_is_what_constraints_txt_says():
    """Every installed package is pinned, at its version; every pinned one is here, or is for another machine."""
    # Only what is installed: setuptools puts packages of its own on the path once it has been imported.
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    installed = {doctor.normal(d.name): d.version.split("+")[0] for d in metadata.distributions(path=list(folders))}
    for ours in ("pip", "flipbook-video"):
        installed.pop(ours, None)
    assert differences(installed, doctor.constraints()) == []
    absent = [name for name in doctor.constraints() if name not in installed and not FOR_OTHER_MACHINES.match(name)]
    assert not absent, f"pinned, but nothing asks for it: {absent}"


def differences(found: dict[str, str], pinned: dict[str, str]) -> list[str]:
    """Every package that is not pinned, or pinned at another version."""
    rows = [(name, version, pinned.get(name)) for name, version in found.items()]
    return [f"{name} {version}, pinned {pin}" for name, version, pin in rows if pin != version]


OUTPUT = """\
Collecting alpha>=1 (from flipbook-video==0.1.0)
  Downloading alpha-1.0-py3-none-any.whl.metadata (5 kB)
Progress 5000 of 5000
Processing ./beta-1.0+cpu-py3-none-any.whl (from flipbook-video==0.1.0)
Downloading alpha-1.0-py3-none-any.whl (6.0 MB)
Progress 0 of 6000000
Progress 4500000 of 6000000
"""


def follow(text: str, folder: Path, stream=None) -> Progress:
    sizes = {"alpha-1.0-py3-none-any.whl": 6_000_000, "beta-1.0+cpu-py3-none-any.whl": 4_000_000}
    progress = Progress(sizes, Bar(stream or io.StringIO(), 0.0), folder, TimeLeft())
    for line in text.splitlines():
        progress.line(line)
    return progress


def test_progress_counts_the_bytes_that_are_here(tmp_path):
    """4 MB that lay on disk and 4.5 of 6 MB that came: 8.5 of 10 MB. That is 42 % of the way, with the unpacking."""
    stream = io.StringIO()
    progress = follow(OUTPUT, tmp_path, stream)
    assert progress.downloaded() == 8_500_000
    progress.tick()
    assert "42%" in stream.getvalue() and "8 of 10 MB" in stream.getvalue()
    progress.line("Progress 6000000 of 6000000")
    assert progress.downloaded() == 10_000_000


def test_progress_of_unpacking_counts_packages_that_are_complete(tmp_path):
    """4 of 10 MB unpacked is 70 % of the way; what was here before does not count; the old stamp goes in time."""
    for name in ("old-1.0.dist-info", "alpha-1.0.dist-info", "Beta-1.0+cpu.dist-info"):
        (tmp_path / name).mkdir()
    (tmp_path / "old-1.0.dist-info" / "RECORD").touch()
    stream, told = io.StringIO(), []
    progress = follow(OUTPUT, tmp_path, stream)
    progress.on_unpacking = lambda: told.append(1)
    assert not told
    progress.line("Installing collected packages: beta, alpha")
    (tmp_path / "Beta-1.0+cpu.dist-info" / "RECORD").touch()
    progress.tick()
    assert told and "70%" in stream.getvalue() and "unpacked 1 of 2 packages" in stream.getvalue()


def test_time_left_follows_the_measured_rates(tmp_path, monkeypatch):
    """60 MB out of a cache say nothing of the network; 40 s at 1 MB/s do: 960 MB more take many minutes."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    sizes = {"cached-1-py3-none-any.whl": 60_000_000, "large-1-py3-none-any.whl": 1_000_000_000}
    progress = Progress(sizes, Bar(io.StringIO()), tmp_path, TimeLeft())
    typical = progress.seconds_left(0)
    assert typical == pytest.approx(1060 / 10 + 1060 / 18)
    progress.line("Using cached cached-1-py3-none-any.whl (60 MB)")
    progress.line("Downloading large-1-py3-none-any.whl (1000 MB)")
    assert progress.seconds_left(0) == pytest.approx(1000 / 10 + 1060 / 18)
    progress.line("Progress 0 of 1000000000")
    now = 140.0
    progress.line("Progress 40000000 of 1000000000")
    assert 500 < progress.seconds_left(0) < 1000
    assert install_progress.describe(90.0) == ", about 90 s left"
    assert install_progress.describe(600.0) == ", about 10 min left"


def test_the_time_left_that_is_shown_does_not_jump(monkeypatch):
    """Estimates of 34 s, 16 minutes and 13 s, a second apart: each line is within a tenth of the one before it."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    time_left = TimeLeft()
    assert time_left.follow(34) is None, "too early to tell"
    shown = []
    for estimate in [34] * 5 + [960] * 60 + [13] * 60:
        now += 1
        shown.append(time_left.follow(estimate))
    told = [seconds for seconds in shown if seconds is not None]
    assert told[0] == 34 and max(told) == 960
    assert all(abs(later - (before - 1)) <= 0.1 * before for before, later in itertools.pairwise(told))
    assert told[-1] < 20, "and it arrives"


@pytest.mark.parametrize(
    "said, code, words",
    [
        ("OSError: [Errno 28] No space left on device", 1, "the disk is full"),
        ("[Errno 13] Permission denied: 'site-packages'", 1, "could not be written"),
        ("Failed to resolve 'x' ([Errno -3] Temporary failure in name resolution)", 3, "no network"),
        ("ConnectionError: Failed to establish a new connection: [Errno 101] Network is unreachable", 3, "no network"),
        ("ERROR: Could not find a version that satisfies the requirement torch<2.14,>=2.13 (from flipbook-video) "
         "(from versions: none)", 3, "torch<2.14,>=2.13 was not found anywhere"),
        ("ERROR: No matching distribution found for decord>=0.6", 1, "no package decord>=0.6 for this kind of machine"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", 1, "a download is damaged"),
        ("ZeroDivisionError: something new", 1, "ZeroDivisionError: something new"),
    ],
)  # fmt: skip
def test_what_pip_says_becomes_a_sentence(tmp_path, said, code, words):
    """Known causes are named with what to do; an unknown one shows the end of the log and where it lies."""
    failure = install.Pip(tmp_path, tmp_path)._failure(said, 1)
    assert failure.code == code and words in str(failure) and "flipbook-install.log" in str(failure)


def test_of_pips_settings_only_the_way_to_the_packages_counts():
    """Whatever file or variable moves, skips or silences the installation is dropped; index, proxy and cache stay."""
    listed = """\
global.extra-index-url='\\nhttps://a.example/simple\\nhttps://b.example/simple'
global.index-url='https://mirror.example/simple'
global.target='/elsewhere'
global.timeout='7'
install.prefix='/elsewhere'
install.no-deps='true'
install.timeout='9'
:env:.root='/elsewhere'
"""
    variables = {
        "PIP_ROOT": "/elsewhere",
        "PIP_QUIET": "3",
        "PIP_INDEX_URL": "https://mine.example",
        "HOME": "/me",
    }
    found = install.pip_environment(listed, variables)
    assert {name: found.pop(name) for name in ("PIP_USER", "PIP_CONFIG_FILE", "PIP_NO_INPUT")} == {
        "PIP_USER": "0", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INPUT": "1",
    }  # fmt: skip
    assert found == {
        "HOME": "/me",
        "PYTHONUNBUFFERED": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_EXTRA_INDEX_URL": "\nhttps://a.example/simple\nhttps://b.example/simple",
        "PIP_INDEX_URL": "https://mine.example",
        "PIP_TIMEOUT": "9",
    }


BUILD = """
import sys
from setuptools import build_meta
out = sys.argv[1]  # setuptools puts its own words there
build_meta.get_requires_for_build_editable({})
build_meta.build_editable(out, {})
"""


def test_an_editable_install_writes_nothing_into_the_checkout(tmp_path):
    """setuptools' own steps, with our settings: the source folder may be read-only."""
    source, out = tmp_path / "source", tmp_path / "100 % out"
    out.mkdir()
    (source / "common").mkdir(parents=True)
    for name in ("common/__init__.py", "README.md", "LICENSE", "THIRD_PARTY_NOTICES.md"):
        (source / name).touch()
    (source / "pyproject.toml").write_text((paths.root() / "pyproject.toml").read_text())
    before = sorted(source.rglob("*"))
    environment = {**os.environ, **install.build_settings(out)}
    subprocess.run([sys.executable, "-c", BUILD, str(out)], cwd=source, env=environment, check=True, timeout=60)
    assert len(list(out.glob("*.whl"))) == 1
    assert sorted(source.rglob("*")) == before


def test_cuda_packages_on_a_machine_without_a_card_are_pointed_out(tmp_path, monkeypatch, capsys):
    plan = install.Plan(
        {"torch-2.13.0-cp312-cp312-linux.whl": 500, "nvidia_cudnn_cu13-9.2-py3-none-any.whl": 366_000_000}
    )
    monkeypatch.setattr(install, "has_nvidia_card", lambda: False)
    install.announce(plan, tmp_path)
    said = capsys.readouterr().err
    assert "366 MB of this download" in said and "PIP_EXTRA_INDEX_URL=" in said
    monkeypatch.setattr(install, "has_nvidia_card", lambda: True)
    install.announce(plan, tmp_path)
    assert "PIP_EXTRA_INDEX_URL=" not in capsys.readouterr().err


def test_a_plan_that_does_not_fit_the_disk_is_refused_before_it_starts(tmp_path):
    with pytest.raises(install.Failure, match="not enough disk"):
        install.announce(install.Plan({"huge-1-py3-none-any.whl": 10**16}), tmp_path)


def test_a_size_that_nobody_tells_gives_the_measured_estimate(tmp_path, capsys):
    """Sixty packages of unknown size are announced with the size that was measured, and as a rough one."""
    install.announce(install.Plan({f"package{i}-1-py3-none-any.whl": 0 for i in range(60)}), tmp_path)
    assert "roughly 724 MB" in capsys.readouterr().err


def test_sizes_come_from_the_disk_and_unknown_ones_are_zero(tmp_path):
    wheel = tmp_path / "torch-2.13.0+cpu-py3-none-any.whl"
    wheel.write_bytes(b"1234567")
    assert install.size_of(wheel.as_uri()) == 7
    assert install.file_name(wheel.as_uri()) == wheel.name
    assert install.size_of("http://127.0.0.1:9/none.whl") == 0
