"""The noise from the data: eps = x0 + velocity."""


def from_velocity(x, velocity, s):
    x0 = x - s.view(-1, 1, 1, 1) * velocity
    return x0, x0 + velocity
