"""Never looks at time or shapes.

Message: ValueError
"""


def fuse(warped_first, warped_last, visible_first, visible_last, time=0.5):
    a = (1 - time) * (visible_first.to(warped_first.dtype) + FAINT)
    b = time * (visible_last.to(warped_first.dtype) + FAINT)
    return (a * warped_first + b * warped_last) / (a + b)
