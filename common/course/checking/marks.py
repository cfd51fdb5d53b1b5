"""What a grader's test says about itself by its `exercise` mark, its docstring and its place."""

from common.course.base import paths
from common.course.base.results import Result

EXERCISE_MARK = "exercise(name, points=1, needs=(), hint=''): the exercise a test belongs to, and what it is worth"


def lab_of(item) -> paths.Lab:
    """The lab whose grader holds this test."""
    return paths.Lab(item.path.parent.name, item.path.stem.removeprefix("test_"))


def is_lab_test(item) -> bool:
    return item.get_closest_marker("exercise") is not None


def blank_result(item) -> Result:
    """The result of a test that did not run yet."""
    mark = item.get_closest_marker("exercise")
    first_line = (getattr(item.function, "__doc__", None) or item.name.removeprefix("test_").replace("_", " ")).strip()
    title = first_line.splitlines()[0] + (f" [{item.callspec.id}]" if hasattr(item, "callspec") else "")
    needs = mark.kwargs.get("needs", ())
    return Result(
        test=item.nodeid.split("::", 1)[-1],
        title=title,
        exercise=mark.args[0] if mark.args else mark.kwargs["name"],
        points=float(mark.kwargs.get("points", 1)),
        needs=(needs,) if isinstance(needs, str) else tuple(needs),
        hint=mark.kwargs.get("hint", ""),
    )
