import torch,time
torch.set_num_threads(1)
from common.models.convlstm import *
from torch.utils.flop_counter import FlopCounterMode
for n,k in PRESETS.items():
    m=ConvLSTMPredictor(**k)
    with FlopCounterMode(display=False) as fc, torch.no_grad(): m(torch.zeros(1,1,10,64,64))
    print(n,sum(p.numel() for p in m.parameters()),fc.get_total_flops()/2e9)
