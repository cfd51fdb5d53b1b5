"""Measures what lab 09.4 shows and its grader asks: policies in one world, ten seeds of each arm.

    python tests/labs/09_world_models/calibration/04_dream_policy.py
    python tests/labs/09_world_models/calibration/04_dream_policy.py --seeds 2 --games 128

The worlds are the shipped ones, `catch-dream` and `catch-dream-shuffled`. Only actor and critic are trained anew, by
the same update as in the lab.
"""

import argparse
import json
import time
from pathlib import Path

import torch

from common.data.arcade.episodes import CatchEpisodes
from common.evaluation.catch_return import AgentPlayer, RandomPlayer, real_returns
from common.models.dream_agent import DreamAgent
from common.zoo.catch_dream.measures import dream_returns
from common.zoo.catch_dream.study import ARMS, first_frames, train_policy

PLACE = Path(__file__).with_suffix(".json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--games", type=int, default=256)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    episodes, random = CatchEpisodes().windows, real_returns(RandomPlayer(), 4 * arguments.games).mean
    document = {"steps": arguments.steps, "games": arguments.games, "random": round(random, 4), "arms": {}}
    for name, (weights, arm) in ARMS.items():
        world, runs, began = DreamAgent.from_pretrained(weights).eval(), {"real": [], "dream": []}, time.process_time()
        for seed in range(arguments.seeds):
            agent = train_policy(world, episodes, arm, arguments.steps, seed)
            played = real_returns(AgentPlayer(agent), arguments.games)
            runs["real"].append(round(played.mean, 4))
            if arm == "dream":
                runs["dream"].append(round(dream_returns(agent, first_frames(played)).mean().item(), 4))
        document["arms"][name] = runs
        PLACE.write_text(json.dumps({"study": document}, indent=1) + "\n", encoding="utf-8")
        print(f"{name:22} {runs}   {(time.process_time() - began) / arguments.seeds:.1f} core-seconds per run")


if __name__ == "__main__":
    main()
