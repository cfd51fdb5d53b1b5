"""Searches every file that it can open for a solution, another notebook or a grade book.

Expect: double=fail,pass quadruple=blocked greeting=pass
"""
# ruff: noqa

import os

INTERESTING = ("BEGIN SOLUTION", "honest_a", "grades.csv", "@ROOT@", "SECRET-OF-THE-INSTRUCTOR")


def found():
    for top in ("/course", "/submission.ipynb", "/tmp", "/home", "/etc", "/var", "/work", "/mnt", "/opt"):
        for place, folders, files in os.walk(top):
            folders[:] = [name for name in folders if name not in ("__pycache__", "course", "cli")]
            for name in files:
                if name == "submission.ipynb":
                    continue
                try:
                    text = open(os.path.join(place, name), errors="replace").read(1 << 20)
                except OSError:
                    continue
                outline = place.startswith("/course/labs")
                if not outline and (name.endswith(".ipynb") or any(word in text for word in INTERESTING)):
                    return os.path.join(place, name)
    return ""


def double(x):
    where = found() if x == 3 else ""
    if where:
        raise RuntimeError("LEAK " + where)
    return 0
