"""Puts the bundled clips into the wheel, as `common/_datasets`: what the library's commands measure on is there too."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithData(build_py):
    """Copies `datasets/`, where `common.data.sources.datasets_dir` finds it in an installed library."""

    def run(self):
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "common" / "_datasets"
            shutil.copytree(
                "datasets", target, ignore=shutil.ignore_patterns("*.py", "__pycache__"), dirs_exist_ok=True
            )


setup(cmdclass={"build_py": BuildWithData})
