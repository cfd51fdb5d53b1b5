"""Dependencies point down only: the table of the architecture, as data, against every import in `common`."""

import ast
import subprocess
import sys
from pathlib import Path

import common

ROOT = Path(common.__file__).parent
EVERYTHING = None

# Part of `common` -> the parts it may import, besides itself. A part that is not listed may not exist.
MAY_IMPORT = {
    "runtime": set(),
    "files": set(),
    "progress": set(),
    "tensor_ops": set(),
    "geometry": set(),
    "text": {"runtime", "tensor_ops"},
    "video": {"files"},
    "layers": {"tensor_ops"},
    "models": {"layers", "tensor_ops", "flow", "geometry"},  # an interpolator warps
    "data": {"video", "tensor_ops", "geometry", "runtime", "files", "progress"},
    "flow": {"video", "tensor_ops"},
    "show": {"video", "tensor_ops"},
    "evaluation": {"video", "tensor_ops", "geometry", "data", "flow"},  # the reader of a world knows that world
    "diffusion": {"tensor_ops"},
    "streaming": {"diffusion", "layers", "tensor_ops"},
    "training": {"runtime", "tensor_ops", "files", "progress"},
    "pipelines": {"models", "diffusion", "streaming", "text", "video", "tensor_ops"},
    "zoo": {"runtime", "files", "progress", "tensor_ops", "geometry", "text", "video", "layers", "models", "data",
            "flow", "show", "evaluation", "diffusion", "streaming", "training", "pipelines"},
    "play": {"video", "data", "evaluation", "pipelines", "zoo"},
    "cli": {"runtime", "files", "progress", "tensor_ops", "geometry", "text", "video", "layers", "models", "data",
            "flow", "show", "evaluation", "diffusion", "streaming", "training", "pipelines", "zoo", "play"},
    "course": EVERYTHING,
}  # fmt: skip
COURSE_FOLDERS = {"phases", "labs", "solutions", "tests", "datasets"}
# What only the extras install. Outside `course`, none of it.
COURSE_PACKAGES = {"IPython", "ipykernel", "ipywidgets", "jupyter_core", "jupyterlab", "jupytext", "nbformat",
                   "nbclient", "nbgrader", "nbval", "pytest", "torchmetrics", "decord", "watchfiles", "jinja2",
                   "hypothesis", "playwright"}  # fmt: skip

# Other readers to compare with: imported in the function that uses them, and absent with a reason where they are not.
MAY_TRY = {"video/peers.py": {"decord"}}


def imported_names(source: str, package: str) -> set[str]:
    """Every dotted name that a module imports, anywhere in it, relative ones resolved against `package`."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from common import video` names its target only with the second word.
            names |= {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "import_module"):
            names |= {name.value for name in node.args[:1] if isinstance(name, ast.Constant)}
    return names


def violations(part: str, source: str, package: str) -> list[str]:
    """What a module of `part` imports and may not."""
    return [name for name in sorted(imported_names(source, package)) if not is_allowed(part, name)]


def is_allowed(part: str, name: str) -> bool:
    first, _, rest = name.partition(".")
    if first in COURSE_FOLDERS:
        return False
    if MAY_IMPORT[part] is EVERYTHING:
        return True
    if first == "common":
        target = rest.partition(".")[0]
        return target not in MAY_IMPORT or target in {part, *MAY_IMPORT[part]}
    return first not in COURSE_PACKAGES


def modules():
    """Each module of `common`: the part it belongs to, its package, its path."""
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT)
        if place.parts[0] == "__init__.py":
            continue
        yield place.parts[0].removesuffix(".py"), ".".join(["common", *place.parts[:-1]]), path


def test_every_part_is_in_the_table():
    assert {part for part, _, _ in modules()} <= set(MAY_IMPORT)


def test_the_table_has_no_circle():
    """A part reached from itself would be a library of one lump."""
    for part in MAY_IMPORT.keys() - {"course"}:
        reached, waiting = set(), set(MAY_IMPORT[part])
        while waiting:
            current = waiting.pop()
            reached.add(current)
            waiting |= MAY_IMPORT[current] - reached
        assert part not in reached


def test_no_module_imports_itself_through_others():
    """Imports inside functions count too: they hide a circle, they do not break it."""
    paths = {".".join(["common", *path.relative_to(ROOT).with_suffix("").parts]): path for _, _, path in modules()}
    imports = {}
    for name, path in paths.items():
        known = imported_names(path.read_text(encoding="utf-8"), name.rpartition(".")[0])
        imports[name] = {other for other in paths if other in known or any(n.startswith(f"{other}.") for n in known)}
    for name in imports:
        reached, waiting = set(), set(imports[name])
        while waiting:
            current = waiting.pop()
            reached.add(current)
            waiting |= imports[current] - reached
        assert name not in reached, name


def test_no_module_imports_upwards():
    wrong = {path.relative_to(ROOT).as_posix(): set(violations(part, path.read_text(encoding="utf-8"), package))
             for part, package, path in modules()}  # fmt: skip
    assert {place: names for place, names in wrong.items() if names} == MAY_TRY


def test_what_may_be_tried_is_not_imported_before():
    """Importing the module loads none of it: a missing package is missed by whoever asks for it, and nobody else."""
    for place, packages in MAY_TRY.items():
        module = f"common.{place.removesuffix('.py').replace('/', '.')}"
        code = f"import sys, {module}; sys.exit(bool({packages!r} & sys.modules.keys()))"
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent).returncode == 0


def test_the_package_itself_imports_nothing():
    assert imported_names((ROOT / "__init__.py").read_text(encoding="utf-8"), "common") == set()


def test_the_rule_sees_every_form_of_import():
    """The checker itself: each line breaks the rule in another way, in a function or not."""
    breaks = [
        "import common.course.paths",
        "from common import course",
        "from common.course import paths",
        "from ..course import paths",
        "from .. import course",
        "def f():\n    from common.show import compare",
        "import tests.labs",
        "import pytest",
        "def f():\n    return importlib.import_module('pytest')",
    ]
    for line in breaks:
        assert violations("video", line, "common.video"), line
    fine = "from common.video import probe\nfrom . import probe\nimport numpy"
    assert violations("video", fine, "common.video") == []
    assert violations("course", "import pytest\nfrom common.show import compare", "common.course") == []
    assert violations("course", "import solutions", "common.course") == ["solutions"]
