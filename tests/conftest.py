"""What every test folder shares: fixtures for what lies outside Python."""

import os
import signal
import sys

import pytest

from common.course.setup import doctor

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would every process that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

POLICY = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None


def pytest_runtest_teardown(item):
    """A test that leaves the process at real-time priority (SVT-AV1 does, for root) would starve all that comes after.

    Processes that later tests start inherit it: two of them, and a machine with two cores runs nothing else.
    """
    if POLICY is not None and os.sched_getscheduler(0) != POLICY:
        os.sched_setscheduler(0, POLICY, os.sched_param(0))
        pytest.fail("the test left this process with another scheduling policy than it had", pytrace=False)


def missing(what: str, advice: str) -> None:
    """Skip with the reason; on CI, where everything is installed, a skip would hide a hole, so fail."""
    reason = f"{what} ({advice})"
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def require_browser() -> str:
    """The path of a Chromium or Chrome."""
    path = doctor.find_browser()
    if path is None:
        missing("there is no Chromium or Chrome", "install one, or name one in FLIPBOOK_BROWSER")
    return path


@pytest.fixture(scope="session")
def require_bubblewrap() -> str:
    """The path of a bubblewrap that can make a sandbox on this machine."""
    path = doctor.find_bubblewrap()
    if path is None:
        missing("bubblewrap cannot make a sandbox here", "install the package bubblewrap")
    return path


@pytest.fixture(autouse=True)
def gradients_are_on():
    """The setup cell of a lab may switch them off for its whole process; the next test begins with them on."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_grad_enabled(True)
