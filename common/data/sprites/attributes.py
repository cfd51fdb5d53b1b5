"""What a sprite scene is made of: the words that a caption may say, and the numbers that a caption leaves open.

Lengths are in heights of the picture, times in seconds: one scene can be rendered at any size and number of frames.
x runs rightward and y downward, from the upper left corner of the picture as the first frame shows it.
"""

from dataclasses import dataclass

NUM_FRAMES, SIZE, FPS = 17, 64, 8  # the course's standard clip

SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")

# Near the corners of the RGB cube, so that no colour lies between two others: a blurred edge of red on yellow looks
# orange, and orange is no colour's name here.
COLORS = {
    "red": (222, 44, 52),
    "yellow": (250, 206, 46),
    "green": (38, 166, 74),
    "cyan": (64, 206, 226),
    "blue": (40, 78, 196),
    "purple": (172, 62, 204),
    "white": (246, 243, 236),
    "black": (32, 32, 40),
}

SIZES = {"small": (0.115, 0.125), "large": (0.18, 0.195)}  # size -> range of the radius in the first frame
MOTIONS = ("still", "left", "right", "up", "down", "bounce", "orbit", "grow")
BACKGROUNDS = ("field", "stripes", "checkerboard", "dots")  # a field is plain, the others are two shades of one colour
CAMERAS = ("still", "pan_left", "pan_right", "zoom_in", "zoom_out")

# Pairs that are never trained on: for each shape one colour and one motion, each of them once.
HELD_OUT_COLORS = {
    "circle": "purple",
    "square": "yellow",
    "triangle": "blue",
    "star": "green",
    "cross": "cyan",
    "ring": "red",
}
HELD_OUT_MOTIONS = {
    "circle": "grow",
    "square": "orbit",
    "triangle": "left",
    "star": "down",
    "cross": "bounce",
    "ring": "right",
}


@dataclass(frozen=True, order=True)
class ObjectWords:
    """What a caption says of one object: words out of the tables above."""

    shape: str
    color: str
    size: str
    motion: str


@dataclass(frozen=True)
class SceneWords:
    """All that a caption says. The objects are kept sorted: who is named first means nothing."""

    objects: tuple[ObjectWords, ...]
    background: str
    background_color: str
    camera: str = "still"

    def __post_init__(self):
        object.__setattr__(self, "objects", tuple(sorted(self.objects)))


@dataclass(frozen=True)
class SpriteObject:
    """One object. The first four attributes are what a caption says.

    Attributes:
        shape, color, size, motion: words out of the tables above. The size is that of the first frame.
        radius: heights, in the first frame; half the width of a circle, and about as much for the other shapes.
        x, y: where its path begins: its middle in the first frame, but for `bounce` the middle of its lowest place, and
            for `orbit` the middle of the circle.
        speed: heights a second along a line; hops a second; turns a second, clockwise on screen if positive; for
            `grow`, the part of its first radius by which it grows each second. 0 for `still`.
        reach: height of a hop, radius of an orbit; else 0.
        phase: where in its hop or turn it begins, in [0, 1).
    """

    shape: str
    color: str
    size: str
    motion: str
    radius: float
    x: float
    y: float
    speed: float = 0.0
    reach: float = 0.0
    phase: float = 0.0


@dataclass(frozen=True)
class SpriteScene:
    """Everything there is to know about a clip before it is drawn.

    Attributes:
        objects: one or two, the one behind first.
        background, background_color, camera: words out of the tables above.
        period: of the texture, in heights.
        texture_x, texture_y: a place at which the texture begins, in heights.
        angle: of the stripes, degrees: 0 upright, 90 level.
        camera_speed: heights a second for a pan; for a zoom, the logarithm of its factor in a second. Positive.
        index: number of the sample that this scene belongs to; it also chooses the words of its caption.
    """

    objects: tuple[SpriteObject, ...]
    background: str
    background_color: str
    camera: str = "still"
    period: float = 0.3
    texture_x: float = 0.0
    texture_y: float = 0.0
    angle: float = 0.0
    camera_speed: float = 0.0
    index: int = 0

    @property
    def words(self) -> SceneWords:
        """What a caption says of this scene."""
        objects = tuple(ObjectWords(item.shape, item.color, item.size, item.motion) for item in self.objects)
        return SceneWords(objects, self.background, self.background_color, self.camera)


def is_held_out(scene: SpriteScene | SceneWords) -> bool:
    """Whether an object has a colour or a motion that is never trained on with its shape."""
    return any(
        item.color == HELD_OUT_COLORS[item.shape] or item.motion == HELD_OUT_MOTIONS[item.shape]
        for item in scene.objects
    )


def shades(color: str) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The darker and the lighter shade of a colour, RGB from 0 to 255, of which a texture is made."""
    rgb = COLORS[color]
    return tuple(0.8 * c for c in rgb), tuple(c + 0.22 * (255 - c) for c in rgb)
