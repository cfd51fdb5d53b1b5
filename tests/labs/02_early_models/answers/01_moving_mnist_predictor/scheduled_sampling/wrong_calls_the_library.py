"""Calls the library.

Message: write your own
"""


def scheduled_sampling(truth, predicted, probability, coins):
    from common.models.convlstm import scheduled_sampling as theirs

    return theirs(truth, predicted, probability, coins)
