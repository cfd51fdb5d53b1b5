import torch

from common.models.frame_reach import frame_reach
from common.models.stdit import STDiT, close_temporal_blocks


def test_frames_reach_each_other_by_temporal_blocks_alone():
    torch.manual_seed(0)
    model = STDiT(in_channels=4, out_channels=4, dim=24, depth=2, num_heads=2, ffn_dim=32, text_dim=6, freq_dim=8)
    reach = frame_reach(model, 4, 4)
    assert reach.shape == (4, 4) and reach.min() > 0
    close_temporal_blocks(model)
    reach = frame_reach(model, 4, 4)
    assert reach.diag().min() > 0 and torch.equal(reach, reach.diag().diag())
