"""What `rooms` looks like: a palette, and pictures of tiles and characters as text.

The colours are the reader's as much as the eye's: any two things that may be taken for each other differ in hue and in
brightness. The player is pink and cream and nothing else is.
"""

import numpy as np

TILE = 8  # pixels, both ways
ROWS, COLUMNS = 8, 8  # of tiles in the picture; the first row is the HUD
HEIGHT, WIDTH = ROWS * TILE, COLUMNS * TILE

# Tiles of a room. From BRICK on they are solid.
EMPTY, COIN, KEY, DOOR, BRICK = range(5)
TILE_NAMES = ("empty", "coin", "key", "door", "brick")
# Tiles of the HUD: the first place is the key's, the other seven are for coins.
NO_KEY, HAS_KEY, NO_COIN, HAS_COIN = range(5, 9)

COLORS = {
    ".": (22, 24, 52),  # the room's air
    "b": (96, 40, 44),  # mortar
    "B": (190, 88, 58),  # brick
    "h": (226, 130, 84),  # brick in the light
    "g": (214, 140, 20),  # gold in the shade
    "G": (255, 206, 56),  # gold
    "W": (255, 248, 200),  # gold in the light
    "K": (130, 236, 255),  # key
    "k": (52, 150, 196),  # key in the shade
    "D": (60, 92, 214),  # door
    "d": (36, 56, 140),  # between its planks
    "f": (176, 190, 232),  # its frame
    "L": (112, 214, 72),  # slime
    "l": (52, 138, 56),  # slime in the shade
    "e": (12, 16, 16),  # eyes
    "P": (255, 64, 150),  # cap and shirt
    "s": (255, 226, 196),  # face
    "p": (156, 20, 92),  # trousers
    "x": (6, 6, 12),  # the HUD's ground
    "u": (40, 42, 60),  # an empty place in it
    "_": (84, 88, 120),  # the line below it
}
PALETTE = np.array(list(COLORS.values()), dtype=np.uint8)
NUMBER = {letter: number for number, letter in enumerate(COLORS)}

PICTURES = {
    EMPTY: "........ ........ ........ ........ ........ ........ ........ ........",
    COIN: "........ ..GGGG.. .GWWGGg. .GWGGgg. .GGGGgg. .GGGggg. ..gggg.. ........",
    KEY: "........ .KKK.... KK.kK... K...KKKK KK.kkKkK .KKK.K.K ..kk...k ........",
    DOOR: ".ffffff. ffDdDDff fDDdDDDf fDDdDDDf fDDdDGGf fDDdDWGf fDDdDDDf fDDdDDDf",
    BRICK: "hhhbhhhh BBBbBBBB BBBbBBBB bbbbbbbb hhhhhhhb BBBBBBBb BBBBBBBb bbbbbbbb",
    NO_KEY: "xxxxxxxx xuuuxxxx uuxuuxxx uxxxuuuu uuxuuuxu xuuuxuxu xxxxxxxx ________",
    HAS_KEY: "xxxxxxxx xKKKxxxx KKxkKxxx KxxxKKKK KKxkkKkK xKKKxKxK xxxxxxxx ________",
    NO_COIN: "xxxxxxxx xxxuuxxx xxuxxuxx xuxxxxux xuxxxxux xxuxxuxx xxxuuxxx ________",
    HAS_COIN: "xxxxxxxx xxxGGxxx xxGWGGxx xGWGGggx xGGGGggx xxGgggxx xxxggxxx ________",
}
PLAYER = ".PPPP. PPPPPP sesses ssssss .PPPP. sPPPPs .p..p."
SLIME = "..LLLL.. .LLLLLL. LLeLLeLL LLLLLLLL lLLllLLl"


def painting_of(picture: str) -> np.ndarray:
    """The numbers of the palette in a picture: uint8 `(rows, columns)`."""
    return np.array([[NUMBER[letter] for letter in line] for line in picture.split()], dtype=np.uint8)


TILES = np.stack([painting_of(PICTURES[tile]) for tile in range(9)])  # (9, 8, 8)
PLAYER_PAINTING, SLIME_PAINTING = painting_of(PLAYER), painting_of(SLIME)
# Where a character is; elsewhere the room behind it is seen.
CLEAR = NUMBER["."]
PLAYER_MASK = np.not_equal(PLAYER_PAINTING, CLEAR)
SLIME_MASK = np.not_equal(SLIME_PAINTING, CLEAR)
PLAYER_HEIGHT, PLAYER_WIDTH = PLAYER_PAINTING.shape
SLIME_HEIGHT, SLIME_WIDTH = SLIME_PAINTING.shape
COIN_PLACES = COLUMNS - 1
