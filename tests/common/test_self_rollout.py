"""A past of the student's own: the rollout of `streaming.world` in one step, in the samples that are chosen."""

import torch

from common.models.world_unet import PRESETS, WorldUNet
from common.streaming.self_rollout import self_rollout
from common.streaming.world import push, sample_next


def test_chosen_pasts_are_a_rollout_and_the_others_stay_real():
    torch.manual_seed(0)
    model = WorldUNet(context=2, **PRESETS["ci"])
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    clip = 2 * torch.rand(3, 3, 4, 8, 16) - 1
    actions, eps = torch.randint(6, (3, 3)), torch.randn(3, 3, 2, 8, 16)
    found = self_rollout(model, clip, actions, eps, torch.tensor([False, True, True]))
    assert torch.equal(found[0], clip[0, :, 2:]) and not found.requires_grad
    past = clip[1:, :, :2]
    with torch.no_grad():
        for k in range(2):
            past = push(past, sample_next(model, past, actions[1:, k : k + 2], 1, eps=eps[1:, :, k]))
    assert torch.equal(found[1:], past)
    assert torch.equal(self_rollout(model, clip, actions, eps, torch.zeros(3, dtype=torch.bool)), clip[:, :, 2:])
