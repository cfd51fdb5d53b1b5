import pytest
import torch

from common.data.mini import MOTIONS, MiniSprites
from common.evaluation.mini import mini_accuracy
from common.evaluation.motions import motion_shares


def test_real_clips_show_their_motions_and_kept_frames_do_at_their_own_rate():
    batch = MiniSprites("test").batch(range(24))
    clips = batch.clips()
    shares = motion_shares(batch.captions, clips)
    assert shares["all"].right == shares["all"].total == 24 and list(shares)[-1] == "all"
    assert sum(share.total for motion, share in shares.items() if motion in MOTIONS) == 24
    kept = clips[:, :, ::4]
    assert motion_shares(batch.captions, kept, fps=1)["all"].value == 1
    assert motion_shares(batch.captions, kept)["all"].value < 0.3, "at the wrong rate everything is too fast"


def test_it_counts_as_the_worlds_own_score_does():
    batch = MiniSprites("test").batch(range(12))
    clips = batch.clips().flip(2)  # time runs backwards
    share = motion_shares(batch.captions, clips)["all"]
    assert 0 < share.value < 1 and share.value == pytest.approx(mini_accuracy(batch.captions, clips)["motion"])
    with pytest.raises(ValueError, match="12 captions for 3"):
        motion_shares(batch.captions, torch.zeros(3, 3, 9, 64, 64))
