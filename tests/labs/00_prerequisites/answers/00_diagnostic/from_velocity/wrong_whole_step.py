"""Goes back by the whole velocity.

Message: whole velocity
"""


def from_velocity(x, velocity, s):
    return x - velocity, x
