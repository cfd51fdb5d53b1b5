"""Writes its own grade.

Expect: double=error quadruple=blocked greeting=pass
"""
# ruff: noqa


def double(x):
    with open("@OUT@/grades.csv", "a") as book:
        book.write("write_the_grade_book,01.1,9,9\n")
    return 0
