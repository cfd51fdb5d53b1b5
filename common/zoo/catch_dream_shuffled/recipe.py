"""How `catch-dream-shuffled` is trained: as `catch-dream`, but each episode has the actions of another one.

    flipbook train catch-dream-shuffled
    flipbook train catch-dream-shuffled --stage policy

Frames, rewards and ends are the same. So this world dreams of the same game, and its keys mean nothing. It is there to
be compared with.
"""

from dataclasses import replace

from common.data.arcade.episodes import CatchEpisodes
from common.training import Stage
from common.zoo.catch_dream.recipe import NUM_FRAMES, policy_loss
from common.zoo.catch_dream.recipe import RECIPE as DREAM

MAIN, POLICY = (DREAM.stages[name].settings for name in ("main", "policy"))
RECIPE = replace(
    DREAM,
    name="catch-dream-shuffled",
    data=lambda preset: CatchEpisodes(NUM_FRAMES[preset], shuffled=True),
    stages={
        "main": Stage(MAIN | {"cpu": replace(MAIN["cpu"], steps=350)}),
        "policy": Stage(POLICY, start="main", compute_loss=policy_loss),
    },
)
