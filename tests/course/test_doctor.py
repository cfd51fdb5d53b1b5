"""The doctor sees what is wrong with an installation, says what to do, and always reaches the end of its list."""

import json
import shutil
import sys

import pytest
from click.testing import CliRunner

from common.course.commands.doctor import doctor as command
from common.course.setup import doctor


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with this one's requirements and nothing else."""
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(doctor.paths.root() / name, tmp_path / name)
    (tmp_path / "tests" / "labs").mkdir(parents=True)
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    return tmp_path


def one(check) -> doctor.Finding:
    """The only finding of this check."""
    (finding,) = list(check())
    return finding


def test_this_installation_is_in_order():
    """Where the tests run, nothing is a problem (a missing browser or sandbox is a warning)."""
    problems = [finding for finding in doctor.examine() if finding.status == "problem"]
    assert problems == []


def test_a_check_that_crashes_is_a_finding_and_the_next_one_still_runs():
    def check_sun():
        raise ImportError("libsun.so: cannot open shared object file")

    def check_moon():
        yield doctor.ok("moon", "full")

    sun, moon = doctor.examine([check_sun, check_moon])
    assert (sun.name, sun.status) == ("sun", "problem") and "libsun.so" in sun.detail and sun.advice
    assert moon.status == "ok"


@pytest.mark.parametrize("broken, code", [(False, 0), (True, 1)])
def test_exit_code_and_json_say_whether_anything_is_a_problem(monkeypatch, broken, code):
    """A warning alone leaves the exit code at 0."""
    findings = [doctor.warning("browser", "none", "install one")]
    if broken:
        findings.append(doctor.problem("torch", "gone", "install it"))
    monkeypatch.setattr("common.course.commands.doctor.examine", lambda: findings)
    plain, machine = CliRunner().invoke(command), CliRunner().invoke(command, ["--json"])
    assert plain.exit_code == machine.exit_code == code
    assert "install one" in plain.output, "the advice is printed"
    answer = json.loads(machine.output)
    assert answer["ok"] is not broken and [row["name"] for row in answer["findings"]] == [f.name for f in findings]


def test_a_python_outside_the_range_is_a_problem(checkout):
    assert one(doctor.check_python).status == "ok"
    text = (checkout / "pyproject.toml").read_text().replace(">=3.11,<3.15", ">=3.90,<3.99")
    (checkout / "pyproject.toml").write_text(text)
    finding = one(doctor.check_python)
    assert finding.status == "problem" and "3.90 to 3.98" in finding.advice


def test_a_foreign_common_in_front_of_ours_is_a_problem(checkout):
    """The checkout that is asked about is not the one that `common` comes from."""
    finding = next(doctor.check_common())
    assert finding.status == "problem" and f"not from {checkout / 'common'}" in finding.detail


def test_pythonpath_is_pointed_out(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere/else")
    names = {finding.name: finding for finding in doctor.check_common()}
    assert names["common"].status == "ok" and "/somewhere/else" in names["PYTHONPATH"].detail


def test_another_version_than_the_tested_one_is_a_warning_that_names_both(checkout):
    here = doctor.installed_version("einops")
    text = (checkout / "constraints.txt").read_text().replace(f"einops=={here}", "einops==0.0.1")
    (checkout / "constraints.txt").write_text(text)
    finding = one(doctor.check_versions)
    assert finding.status == "warning" and f"einops is {here}, not 0.0.1" in finding.detail


def test_a_missing_package_is_a_problem_that_names_it(monkeypatch):
    true_version = doctor.installed_version
    monkeypatch.setattr(doctor, "installed_version", lambda name: None if name == "jupytext" else true_version(name))
    finding = one(doctor.check_versions)
    assert finding.status == "problem" and "jupytext" in finding.detail


def test_a_codec_that_is_not_there_is_named(monkeypatch):
    assert one(doctor.check_codecs).status == "ok"
    monkeypatch.setitem(doctor.CODECS, "h266", "libvvenc_of_the_future")
    finding = one(doctor.check_codecs)
    assert finding.status == "problem" and "without h266" in finding.detail


def test_a_damaged_clip_is_named(monkeypatch):
    from common import data

    assert one(doctor.check_data).status == "ok"
    name = data.clips()[0].name
    kind = type(data.clips()[0])
    true_status = kind.status
    monkeypatch.setattr(kind, "status", lambda clip: "damaged" if clip.name == name else true_status(clip))
    finding = one(doctor.check_data)
    assert finding.status == "problem" and f"{name} is damaged" in finding.detail


def test_a_full_disk_and_a_folder_that_cannot_be_written_are_noticed(checkout, monkeypatch):
    assert one(doctor.check_work).status == "ok"
    shutil.rmtree(checkout / "work")
    (checkout / "work").write_text("a file where the folder should be")
    assert one(doctor.check_work).status == "problem"
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9e9, 8.6e9, 0.4e9))
    finding = one(doctor.check_disk)
    assert finding.status == "warning" and finding.detail == "0.4 GB free"


def test_a_browser_named_by_hand_wins_and_must_exist(monkeypatch):
    for named, found in ((sys.executable, sys.executable), ("/no/such/browser", None)):
        doctor.find_browser.cache_clear()
        monkeypatch.setenv("FLIPBOOK_BROWSER", named)
        assert doctor.find_browser() == found
    doctor.find_browser.cache_clear()


def test_bubblewrap_that_may_not_make_a_sandbox_is_as_good_as_none(monkeypatch, tmp_path):
    """A container may hold the program and forbid what it does."""
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    doctor.find_bubblewrap.cache_clear()
    finding = one(doctor.check_bubblewrap)
    doctor.find_bubblewrap.cache_clear()
    assert finding.status == "warning" and "may not make a sandbox here" in finding.detail
