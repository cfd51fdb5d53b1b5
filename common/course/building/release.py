"""From an executed solution to the fill-in lab, by nbgrader's own preprocessors (their defaults, no database)."""

import copy

PREPROCESSORS = (
    "LockCells",
    "ClearSolutions",
    "ClearOutput",
    "CheckCellMetadata",
    "ComputeChecksums",
    "ClearHiddenTests",
    "ClearMarkScheme",
    "ComputeChecksums",
    "CheckCellMetadata",
)


def release(solution: dict) -> dict:
    """The lab that a solution notebook releases: answers out, outputs out, what is graded locked.

    The cells are the same as nbgrader's `generate_assignment` writes for this notebook with its default settings.
    """
    import nbformat
    from nbgrader import preprocessors

    notebook = nbformat.from_dict(copy.deepcopy(solution))
    resources = {"nbgrader": {"assignment": "lab", "notebook": "lab"}, "unique_key": "lab", "metadata": {"name": "lab"}}
    for name in PREPROCESSORS:
        notebook, resources = getattr(preprocessors, name)().preprocess(notebook, resources)
    notebook.metadata = nbformat.from_dict(copy.deepcopy(solution["metadata"]))
    return notebook
