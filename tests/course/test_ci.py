"""`.ci/run` needs nothing but Python: it installs what is missing, takes nothing from the machine, hides nothing."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from common.course.base import paths

APT_GET = """#!/bin/sh
echo "$*" >> "$CALLS"
[ "$1" = update ] && exit 0
echo "E: the mirror is gone"
[ "$(grep -c ' chromium' "$CALLS")" -ge "$APT_SUCCEEDS_AT" ]
"""

PYTHON3 = """#!/bin/sh
echo "python3 $* in $(pwd), PYTHONPATH=$PYTHONPATH VIRTUAL_ENV=$VIRTUAL_ENV \\
PYTHONNOUSERSITE=$PYTHONNOUSERSITE" >> "$CALLS"
read -r line && echo "standard input was read" >> "$CALLS"
exit 5
"""


@pytest.fixture
def machine(tmp_path):
    """Run `.ci/run` on a machine without chromium and bubblewrap: (exit code, output, calls of apt-get and python3)."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "mktemp", "cat", "rm", "grep", "env", "sh", "bash"):
        (tools / name).symlink_to(shutil.which(name))
    stubs = {"apt-get": APT_GET, "python3": PYTHON3, "sleep": "#!/bin/sh\n", "id": "#!/bin/sh\necho 0\n"}
    for name, text in stubs.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)

    def run(apt_succeeds_at: int) -> tuple[int, str, list[str]]:
        calls = tmp_path / "calls"
        variables = {"PATH": str(tools), "CALLS": str(calls), "APT_SUCCEEDS_AT": str(apt_succeeds_at)}
        variables |= {"PYTHONPATH": "/of/the/machine", "VIRTUAL_ENV": "/active", "TMPDIR": str(tmp_path)}
        command = [shutil.which("bash"), str(paths.root() / ".ci" / "run")]
        done = subprocess.run(command, capture_output=True, text=True, env=variables, input="a line\n", cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr, calls.read_text().splitlines()

    return run


@pytest.mark.skipif(os.name == "nt", reason="a shell script for Linux")
def test_missing_packages_are_installed_with_retries_and_the_checks_decide(machine):
    """The second attempt works; then `flipbook.py test` runs at the root of the checkout, and its exit code is CI's."""
    code, output, calls = machine(apt_succeeds_at=2)
    assert code == 5
    assert calls[0].startswith("update") and sum(" install " in f" {call}" for call in calls) == 2
    assert all("chromium" in call and "bubblewrap" in call for call in calls if call.startswith("install"))
    last = calls[-1]
    assert last.startswith(f"python3 flipbook.py test in {paths.root()}"), "and standard input is empty"
    assert "PYTHONPATH= VIRTUAL_ENV= PYTHONNOUSERSITE=1" in last, "nothing is taken from the machine"
    assert "the mirror is gone" not in output


@pytest.mark.skipif(os.name == "nt", reason="a shell script for Linux")
def test_packages_that_cannot_be_had_end_the_run_with_the_reason(machine):
    code, output, calls = machine(apt_succeeds_at=9)
    assert code == 1 and "the mirror is gone" in output
    assert not any(call.startswith("python3") for call in calls)


@pytest.mark.parametrize("ci, outcome", [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_what_is_missing_is_skipped_with_a_reason_and_fails_on_ci(monkeypatch, ci, outcome):
    location = Path(__file__).parents[1] / "conftest.py"
    spec = importlib.util.spec_from_file_location("shared_fixtures", location)
    shared = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shared)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="there is no browser \\(install one\\)"):
        shared.missing("there is no browser", "install one")
