"""Words for the things of the world of sprites that its captions do not use: what a speller cannot find."""

# The world's words -> other words for the same, or for the nearest thing that the world has; in their base form.
SYNONYMS = {
    "small": "tiny mini short wee",
    "large": "huge giant enormous massive great tall wide gigantic",
    "red": "crimson scarlet ruby maroon",
    "yellow": "gold golden orange amber",
    "green": "emerald lime olive mint",
    "cyan": "turquoise teal aqua",
    "blue": "navy azure indigo",
    "purple": "violet magenta lilac mauve lavender pink",
    "white": "grey gray silver cream ivory beige",
    "black": "dark ebony",
    "circle": "ball sphere disk globe moon sun coin bubble planet",
    "square": "cube block rectangle brick tile diamond",
    "triangle": "pyramid wedge cone arrow",
    "star": "asterisk pentagram sparkle",
    "cross": "x crucifix",
    "ring": "donut doughnut torus tyre tire wheel loop",
    "bounces": "jump leap spring dribble skip",
    "sinks": "fall drop descend dive plunge",
    "rises": "climb ascend lift float fly soar levitate",
    "orbits": "spin rotate turn revolve whirl swirl circulate",
    "grows": "expand enlarge inflate widen",
    "stands still": "stop rest wait freeze sit pause sleep static",
    "moves": "go walk run travel drive slide roll drift wander",
    "left": "leftward leftwards west",
    "right": "rightward rightwards east",
    "up": "upward upwards north",
    "down": "downward downwards south",
    "field": "backdrop ground floor grass meadow lawn sky sea wall",
    "stripes": "line band",
    "checkerboard": "chessboard chess checks chequered grid",
    "dots": "spot spotted polka speckle point",
}

# Words that only hold a sentence together: they are passed over without a word.
FILLERS = """
an the that which who whose this these there is are be being it its his her he she as with without very then some one
at by from into onto across along around through toward towards behind above below under near between for off or so
while when after before during please show draw make me video clip slowly quickly fast slow
"""
