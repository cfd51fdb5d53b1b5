"""What every test folder shares: fixtures for what lies outside Python."""

import os

import pytest

from common.course import doctor


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
