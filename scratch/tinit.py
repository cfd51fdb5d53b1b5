import torch
from common.models.video_gan import *
torch.manual_seed(0)
for sn in (True,False):
    g=VideoGAN(**PRESETS["ci"],normalized=sn)
    z=torch.randn(64,32); x=g.generator(z)
    print(sn, x.std().item(), "across clips", x.std(dim=0).mean().item(), "across frames", x.std(dim=2).mean().item(), "across space", x.flatten(3).std(dim=3).mean().item())
    w=g.generator.codes.weight.detach().unflatten(0,(6,-1)); print("std",w.std().item(), "corr 1,2", torch.corrcoef(torch.stack([w[1].flatten(),w[2].flatten()]))[0,1].item(), "0,1", torch.corrcoef(torch.stack([w[0].flatten(),w[2].flatten()]))[0,1].item())
    s=g.discriminators(torch.rand(32,3,6,20,20)*2-1,torch.randint(6,(32,))); print(s.mean(0).tolist(), s.std(0).tolist())
