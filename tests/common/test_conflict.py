"""Pictures and prompts that disagree: only the colour differs, it was trained on, and the reader tells who won."""

from common.data.sprites import SpriteData, is_held_out, parse
from common.zoo.sprites_t2v.conflict import conflicts, scores


def test_only_the_colour_differs_and_no_combination_is_held_out():
    asks = conflicts(12)
    assert asks.pictures.shape == (12, 3, 64, 64) and len(asks.prompts) == 12
    for shown, asked, prompt in zip(asks.shown, asks.asked, asks.prompts):
        [one], [other] = shown.objects, asked.objects
        assert one.color != other.color != asked.background_color
        assert (one.shape, one.size, one.motion) == (other.shape, other.size, other.motion)
        assert not is_held_out(asked)
        assert parse(prompt) == asked


def test_the_pictures_own_clips_score_for_the_picture():
    asks, data = conflicts(6), SpriteData("test", num_objects=1)
    index, clips = 0, []
    while len(clips) < 6:
        [scene] = data.scenes([index])
        if scene.words == asks.shown[len(clips)]:
            clips.append(index)
        index += 1
    found = scores(asks, data.batch(clips).clips())
    assert found["picture"].mean() == 1 and found["text"].mean() == 0 and found["motion"].mean() == 1
    assert abs(found["change"].mean() - 1) < 1e-5
