"""Calls the library.

Message: write your own
"""


def matching_cost(first, last, radius):
    from common.flow.between import matching_cost as library_matching_cost

    return library_matching_cost(first, last, radius)
