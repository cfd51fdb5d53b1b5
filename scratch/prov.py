import torch, json, sys
from common.models.video_gan import *
from common.training import checkpoint
g=VideoGAN(**PRESETS["ci"],normalized=False); g.load_state_dict(torch.load("/work/runs/023/s1.pt")); g.half().save_pretrained("common/zoo/sprites_gan")
f=VideoGAN(**PRESETS["ci"],branches=["image"],normalized=False); f.load_state_dict({k:v.float() for k,v in g.state_dict().items() if "video" not in k}); f.half().save_pretrained("common/zoo/sprites_gan_frames")
