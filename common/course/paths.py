"""The address by which notebooks know where a lab's files are."""

from common.course.base.paths import CourseError, Lab, all_labs, root
from common.course.source.lab_source import find_lab

__all__ = ["CourseError", "Lab", "all_labs", "find_lab", "root"]
