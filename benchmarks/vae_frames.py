"""Our causal video autoencoder beside a 2D one of the same size that knows single frames alone.

    python benchmarks/vae_frames.py train ours         about 20 minutes of one core
    python benchmarks/vae_frames.py train frames
    python benchmarks/vae_frames.py compare            reads them, times them, writes benchmarks/results/vae_frames.json

The 2D side is `FrameAutoencoder`, built of the same pieces: patches of 4×4 pixels, a fine and a coarse grid, the same
norm. Where a block of ours has a convolution over three frames, it has a second one over the picture. Its width gives
it as many parameters (within 1 %), and its latents as many numbers per clip (within 7 %): 5 channels for every frame,
where ours have 16 for every four. Training is as in `vae_peer.py`: the recipe of `sprites-vae` for both, the same
minutes of one core, side by side on the same machine.
"""

from pathlib import Path

import vae_peer

from common.models.frame_autoencoder import FrameAutoencoder

RESULTS = Path(__file__).resolve().parent / "results" / "vae_frames.json"
CORE_SECONDS = 20 * 60


def beside_frames(sides: dict) -> list[str]:
    """What coding time besides space is worth."""
    ours, frames = sides["ours"], sides["frames"]
    more = ours["held_out/psnr"] - frames["held_out/psnr"]
    times = frames["seconds_float32"] / ours["seconds_float32"]
    return [f"held-out sprites: {more:+.2f} dB beside frame by frame; encode and decode {times:.1f} times faster"]


if __name__ == "__main__":
    sides = {"ours": vae_peer.SIDES["ours"], "frames": FrameAutoencoder}
    vae_peer.main(__doc__, sides, RESULTS, CORE_SECONDS, beside_frames)
