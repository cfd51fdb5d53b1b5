"""The six shapes as signed distances: negative inside, zero on the edge, positive outside.

Each shape covers about the area of a circle of its radius, so that "small" and "large" look alike for all of them; a
shape's place is the middle of the box around it.
"""

import numpy as np

# Half the width and half the height of the box around each shape, in radii.
EXTENTS = {
    "circle": (1.0, 1.0),
    "square": (0.886, 0.886),
    "triangle": (1.299, 1.125),
    "star": (1.3315, 1.2664),
    "cross": (1.12, 1.12),
    "ring": (1.12, 1.12),
}
TRIANGLE = 1.5  # from the middle to a corner, in radii
STAR, STAR_WAIST = 1.4, 0.7  # from the middle to a tip, and to the corner between two tips, in radii
CROSS_ARM = 0.37  # half the thickness of an arm, in radii
RING_HOLE = 0.56  # radius of the hole, in radii


def signed_distance(shape: str, x, y, radius) -> np.ndarray:
    """How far points are outside a shape, in the unit of the arguments.

    Args:
        shape: one of `SHAPES`.
        x, y: from the shape's place to the points, rightward and downward; they may broadcast.
        radius: of the shape.

    Returns:
        The distance to the edge, negative inside. Exact at the straight edges and the round ones; outside a corner it
        is the distance to the nearer edge's line, so that corners stay sharp.
    """
    return _DISTANCES[shape](x, y, radius)


def _circle(x, y, radius):
    return np.sqrt(x * x + y * y) - radius


def _square(x, y, radius):
    return np.maximum(np.abs(x), np.abs(y)) - EXTENTS["square"][0] * radius


def _triangle(x, y, radius):
    y = y - 0.25 * TRIANGLE * radius  # from the box's middle to the point that is equally far from all corners
    side = np.abs(x) * np.sqrt(0.75) - 0.5 * y
    return np.maximum(side, y) - 0.5 * TRIANGLE * radius


def _cross(x, y, radius):
    x, y = np.abs(x), np.abs(y)
    arm, length = CROSS_ARM * radius, EXTENTS["cross"][0] * radius
    return np.maximum(np.minimum(x, y) - arm, np.maximum(x, y) - length)


def _ring(x, y, radius):
    outer, inner = EXTENTS["ring"][0] * radius, RING_HOLE * radius
    return np.abs(np.sqrt(x * x + y * y) - (outer + inner) / 2) - (outer - inner) / 2


def _star(x, y, radius):
    """Mirrors fold the plane into the wedge between a tip and the next waist; there the edge is one straight line."""
    cos, sin = np.cos(np.pi / 5), np.sin(np.pi / 5)
    x, y = np.abs(x), 0.0955 * STAR * radius - y  # y upward, from the point that is equally far from all tips
    beyond = 2 * np.maximum(0, x * cos - y * sin)  # beyond the mirror at 36 degrees from the upper tip, clockwise
    x, y = x - beyond * cos, y + beyond * sin
    beyond = 2 * np.maximum(0, -x * cos - y * sin)  # and the one at 36 degrees to the other side
    x, y = np.abs(x + beyond * cos), y + beyond * sin
    edge_x, edge_y = STAR_WAIST * sin, STAR_WAIST * cos - STAR  # along the edge, from the tip (0, STAR) to the waist
    return (y * edge_x - x * edge_y - radius * STAR * edge_x) / np.hypot(edge_x, edge_y)


_DISTANCES = {"circle": _circle, "square": _square, "triangle": _triangle, "star": _star, "cross": _cross,
              "ring": _ring}  # fmt: skip
