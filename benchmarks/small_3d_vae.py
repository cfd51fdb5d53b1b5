"""What the KL term's weight does to a young video autoencoder: the record that lab 05.2 prints beside its own run.

    python benchmarks/small_3d_vae.py            about four core-minutes; writes the record of sprites-vae-minute

From the weights of second 60, 60 more steps of 4 clips with the KL term 100 and 10,000 times its weight, bfloat16 where
the processor computes in it. Measured on 16 held-out clips. The record's other part, the curve of the first minute, is
the log of `flipbook train sprites-vae-minute`, with the running mean of the weights in place of the last ones.
"""

import json

import torch

from common.evaluation.posterior import active_channels, channel_kl
from common.models.autoencoder import CausalVideoVAE
from common.training.vae import KL_WEIGHT, train_step
from common.zoo.shelf import folder
from common.zoo.sprites_vae_minute.measures import mean_psnr, moving_clips
from common.zoo.sprites_vae_minute.studies import go_on

ARMS = {100: 1e-3, 10_000: 3e-3}  # times the weight -> learning rate
STEPS, BATCH, NUM_CLIPS = 60, 4, 16
NAME = "sprites-vae-minute"


def main() -> None:
    torch.set_num_threads(1)
    clips, rows = moving_clips(NUM_CLIPS), []
    for times, learning_rate in ARMS.items():
        vae = CausalVideoVAE.from_pretrained(NAME)
        with torch.autocast("cpu", torch.bfloat16):
            go_on(vae, train_step, STEPS, BATCH, learning_rate, kl_weight=times * KL_WEIGHT)
        with torch.no_grad():
            dist = vae.encode(clips).latent_dist
        row = {
            "times": times,
            "steps": STEPS,
            "nats": round(channel_kl(dist.mean, dist.logvar).mean().item(), 2),
            "dead": int((~active_channels(dist.mean)).sum()),
            "psnr": round(mean_psnr(vae, clips), 2),
        }
        print(row, flush=True)
        rows.append(row)
    place = folder(NAME) / "record.json"
    record = json.loads(place.read_text(encoding="utf-8")) | {"kl_weight": rows}
    place.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
