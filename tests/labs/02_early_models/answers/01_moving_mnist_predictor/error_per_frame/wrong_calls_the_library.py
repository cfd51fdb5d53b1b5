"""Calls the library.

Message: write your own
"""


def error_per_frame(preds, target, *, data_range, power=2):
    from common.evaluation.prediction import error_per_frame as theirs

    return theirs(preds, target, data_range=data_range, power=power)
