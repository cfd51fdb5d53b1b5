"""How `catch-dream-shuffled` is trained: as `catch-dream`, but each episode has the actions of another one.

    flipbook train catch-dream-shuffled                      and then --stage settle, and --stage policy

Frames, rewards and ends are the same. So this world dreams of the same game, and its keys mean nothing. It is there to
be compared with.
"""

from dataclasses import replace

from common.data.arcade.episodes import CatchEpisodes
from common.zoo.catch_dream.recipe import NUM_FRAMES
from common.zoo.catch_dream.recipe import RECIPE as DREAM

STAGES = DREAM.stages
SHORTER = {
    name: {**STAGES[name].settings, "cpu": replace(STAGES[name].settings["cpu"], steps=350)}
    for name in ("main", "settle")
}
RECIPE = replace(
    DREAM,
    name="catch-dream-shuffled",
    data=lambda preset: CatchEpisodes(NUM_FRAMES[preset], shuffled=True),
    stages={**STAGES, **{name: replace(STAGES[name], settings=settings) for name, settings in SHORTER.items()}},
)
