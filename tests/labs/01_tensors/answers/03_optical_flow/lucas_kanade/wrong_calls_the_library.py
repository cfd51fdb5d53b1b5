"""Calls the library.

Message: write your own
"""


def lucas_kanade(first, second, **options):
    from common import flow

    return flow.lucas_kanade(first, second, **options)
