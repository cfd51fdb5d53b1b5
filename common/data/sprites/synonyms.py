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
    "circle": "ball blob sphere disk globe moon sun coin bubble planet",
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

# English words that are spelt nearly like one of the world's and mean something else: a light star does not move right,
# and people are not purple. Found by asking `nearest` for every word of the text encoder's vocabulary,
# and some of those that it has in another form.
LOOKALIKES = """
adopt adopted agents agreed agrees aid aim airing aisles alain alright arise arises awhile back badger barack barge
barges batted battle begged berger bets bing bitter blades blaine blanca blanco blank blink blogger blooms blouse blur
boat bolted bonuses boom boot boring bottle bottled bounded bounds bounty brands bred bremen bribes brig bright bring
brings brittle browns brows bruises bunch burger cameron cans card caress caring carole carve cattle cavern cayman
chan charge chase cheered circus clan clarke closes clue coated coop cops cost cove covers cramer crash crest crimes
crises crisis croats crops crosby crowds crowns crows cruises crush crying cure curl dagger dans daring darted date
dawn debt depot diet digger ding dirt disco discus dish dishes docked dodged dogs doin doll dome donated doom doomed
door dose doubted doubts dove drinks drown drum drying dust dwight eight eighth eighty elaine elites enfield essays
explain failed fans fare fellow fellows fielder fight fights file filed filled finely finger fire firing fishes fit
fitted flight follow footed force fred freight friend fright fringe frost frowns fruits fueled gaines garage garden
gems gilded gilles ginger gladys glands glider gloves glow glue goat gods gotten gown grades greece greed greedy greek
greeks greene greer greet grimes grip groans groom gross groups groves growl growls guests guided guides guts habits
hans height higher hips hiring hit hollow hood hook hooper hooves hosted hotter hove hurdle idiots irving islands
ismail jagger jets jing jolted kettle kid king kisses kit knight knotted lack lange largely larsen larvae laurie lent
lest lets liable light lights ling linger links lip litter loft looted lose lots love lovers loves lure mall mans mare
marge mellon mets might mighty ming miracle misses mode models modes modest moines mole more moses moss moth motive
motives movie movies nets night nights noises note novels oldies ounce pads pain pains paints palais pamela panels
pang pants parole pass patted pawn paws pays pens people pets pianos pillow ping pins pit pitted pius placing plaid
plainly plan planck planes plans plants plate playing plight plotted plug plum plush pops ported posted pot pots
potter praises prices prizes proves puddle purdue purely purpose pursue puzzle qing racing raging raid rail rain
raises rang rating rattle ray read reed reid remove removes review riches riders rides ridges riding rifles rigged
ringo rink risen risked risks rites rivers robe robin robots rod role rooms rooted rope rose roses ross rotten routed
rovers rowing rows ruin ruling rushes ryan saints sands sans says scar scare scraped screen scripted scripts sells
series sets settle shall shards shelf shells shelly shield shine ship shops shrill shrine shrines sight sights silk
sing singer sings sins skill skills skulls slack slacks slain slices slick slight slip smell smells smirk somali
sorted sounds sources spans spells spends spill spray squad squads squash squire stab stack stacks staff stage stages
stained stains stair stairs stakes stalks stall stalls stamped stamps stan stance stanza stare stark starr start
starts stat state states stats status steals steam steel stella step stepped sticks stil sting stir stirred stomped
stones stories story strained strand strands strap strapped straps straw stray stride strides strife strike striker
strikers strikes string strings strive stroked strokes stroll stuart study stunts suarez sway swear sweat sweep sweeps
sweets swings swiped tamara tangle target thinks throws tie tight till ting tingle tip toes tops town traits trap tree
tribes trick trigger trim trip tripped trying tsar turing turtle upright urging use vans viet viewer vote waiter want
weight welles wells whip whistle whitley whitney wight willow wine wing winger wink wiring wishes wolves wright wrists
write writer writes xbox yelled yield yields ying
"""
