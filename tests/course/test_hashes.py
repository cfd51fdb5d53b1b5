"""Every file that an installation may fetch is known by its checksum."""

import re

import pytest

from common.course import install
from common.course.base import paths
from common.course.setup import doctor, hashes

LOW, END = (version[1] for version in doctor.supported_python())


def test_every_pin_has_checksums_and_no_other_package_has():
    """The generated file is the one for these pins: `python -m common.course.setup.hashes` writes it."""
    pins = hashes.pins(paths.root())
    found = {hashes.package(name) for name in hashes.read(paths.root())}
    assert found == set(pins.items())
    assert pins == {**doctor.constraints(), "pip": hashes.PIP_PIN.split("==")[1]}


def test_every_line_is_a_checksum_and_a_wheel_for_a_supported_python():
    lines = hashes.read(paths.root())
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in lines.values())
    assert all(hashes.is_for_us(name, LOW, END) for name in lines)


@pytest.mark.parametrize("platform", ["manylinux.*x86_64", "macosx.*arm64", "win_amd64"])
def test_compiled_packages_have_a_wheel_for_every_supported_python(platform):
    """torch and what it stands on: a checksum for each minor version on each kind of machine."""
    names = list(hashes.read(paths.root()))
    for package in ("torch", "numpy", "av", "pillow", "pydantic-core"):
        for minor in range(LOW, END):
            mine = [n for n in names if hashes.package(n)[0] == package and re.search(platform, n)]
            assert any(f"-cp3{minor}-" in n or "-abi3-" in n for n in mine), f"{package}, 3.{minor}, {platform}"


@pytest.mark.parametrize(
    "name, fits",
    [
        ("a-1-py3-none-any.whl", True),
        ("a-1-py2.py3-none-any.whl", True),
        ("a-1-cp312-cp312-manylinux_2_28_x86_64.whl", True),
        ("a-1-cp39-abi3-win_amd64.whl", True),
        ("a-1-cp310-cp310-manylinux_2_28_x86_64.whl", False),
        ("a-1-cp313-cp313t-manylinux_2_28_x86_64.whl", False),
        ("a-1-pp311-pypy311_pp73-macosx_11_0_arm64.whl", False),
        ("a-1-cp312-cp312-musllinux_1_2_x86_64.whl", False),
        ("a-1.tar.gz", False),
    ],
)
def test_which_wheels_a_supported_machine_can_take(name, fits):
    assert hashes.is_for_us(name, 11, 15) == fits


def test_both_forms_of_an_index_page_are_read():
    page = '<a href="../a-1%2Bcpu-py3-none-any.whl#sha256=abc">a</a> <a href="b-1-py3-none-any.whl">no checksum</a>'
    assert hashes.parse(page, "https://index.example/a/") == {"a-1+cpu-py3-none-any.whl": "abc"}
    page = '{"files": [{"filename": "a-1-py3-none-any.whl", "hashes": {"sha256": "abc"}}]}'
    assert hashes.parse(page, "https://index.example/a/") == {"a-1-py3-none-any.whl": "abc"}


def test_the_checkouts_checksum_counts_and_not_the_indexs(tmp_path):
    """Only a build with a local part, from an index that the user named, is taken at that index's word."""
    (tmp_path / hashes.FILE).write_text("# head\naaa  a-1-py3-none-any.whl\n")
    assert hashes.locked(tmp_path, [("a", "1", "a-1-py3-none-any.whl", "bbb")]) == ["a==1 --hash=sha256:aaa"]
    cpu = ("torch", "2.13.0+cpu", "torch-2.13.0+cpu-cp312-cp312-win_amd64.whl", "ccc")
    assert hashes.locked(tmp_path, [cpu]) == ["torch==2.13.0+cpu --hash=sha256:ccc"]
    with pytest.raises(hashes.Unknown, match="is not one of the files"):
        hashes.locked(tmp_path, [(*cpu[:3], "")])
    with pytest.raises(hashes.Unknown, match="is not one of the files"):
        hashes.locked(tmp_path, [("b", "1", "b-1-py3-none-any.whl", "bbb")])


def test_the_installer_asks_for_what_the_project_says():
    """The library, its build backend, and the extras that the course needs: without what only other games need."""
    wanted = " ".join(install.requirements(paths.root()))
    for name in ("setuptools", "torch", "jupyterlab", "transformers", "peft", "ruff"):
        assert f"{name}>=" in wanted
    assert "vizdoom" not in wanted
