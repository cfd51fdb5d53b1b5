"""Releases of the tiny lab, and a learner's copies of it: written, edited and read, for the tests of the workspace."""

from common.course.base import cells

ANSWER = "def double(x):\n    return x + x  # mine"


def release_notebook(course) -> dict:
    notebook = course.make_notebook({name: course.stub(name) for name in course.answers})
    text = "Read [the tutorial](../../phases/01_tiny/01_words.ipynb#why) and `a[i](x)`."
    notebook["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": [text]})
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"cell-{number}"
        if "check" in cells.flipbook(cell):
            cell["metadata"]["nbgrader"] = {"grade_id": "check_" + cells.flipbook(cell)["check"], "points": 2}
    return notebook


def write_release(course, change=None, like=""):
    notebook = release_notebook(course)
    if change:
        change(notebook)
    course.lab.notebook("labs").write_text(cells.dumps(notebook, like=like), encoding="utf-8")
    return notebook


def edit(course, change):
    """Change the learner's copy as an editor would; returns the bytes it then holds."""
    path = course.lab.notebook("work")
    notebook = cells.read(path)
    change(notebook)
    path.write_text(cells.dumps(notebook), encoding="utf-8")
    return path.read_bytes()


def answer(notebook, text=ANSWER, name="double"):
    cells.set_source(cells.find_exercise(notebook, name), text)


def sources(course, target="work"):
    return [cells.source(cell) for cell in cells.read(course.lab.notebook(target))["cells"]]


def backups(course):
    return sorted((course.root / "work" / "backups").rglob("*.ipynb"))


def newer(notebook):
    """A release in which the introduction and a stub changed."""
    cells.set_source(notebook["cells"][0], "A new introduction.")
    stub = 'def greeting(name):\n    """Now with a new docstring."""\n    raise NotImplementedError'
    answer(notebook, stub, "greeting")
