import torch,time
torch.set_num_threads(1); torch.manual_seed(0)
from common.models.pixel_autoregressive import *
from common.data.digits import DigitData
for p,k in PRESETS.items(): print(p,PixelVideoModel(**k).num_parameters())
data=DigitData(num_frames=8,size=48,num_digits=1)
def levels(idx,split="train"):
    import dataclasses
    d=data if split=="train" else dataclasses.replace(data,split=split)
    x=d.batch(idx).clips()
    x=torch.nn.functional.avg_pool3d(x,(1,2,2)); return ((x[:,0]>-0.2)).long()
te=levels(range(64),"test"); print(te.float().mean())
m=PixelVideoModel(**PRESETS["ci"]); opt=torch.optim.AdamW(m.parameters(),3e-3)
t=time.process_time()
for i in range(40):
    x=levels(range(8*i,8*i+8)); loss=-m.log_prob(x).mean(); opt.zero_grad(); loss.backward(); opt.step()
    if i%10==9: print(i,time.process_time()-t,bits(-m.log_prob(te[:16]).detach().mean(0)).tolist(),flush=True)
