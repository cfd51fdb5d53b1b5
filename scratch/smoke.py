import time, torch
torch.set_num_threads(1)
from functools import partial
from common.data.sprites.modes import ModeData
from common.models.video_gan import VideoGAN, PRESETS
from common.training.adversarial_losses import *
from torch.profiler import profile
d=ModeData()
t=time.process_time(); x=d.clips(range(64)); print("data ms/clip",1e3*(time.process_time()-t)/64, x.shape)
for name in ("ci","cpu"):
  for sn in (True,False):
    g=VideoGAN(**PRESETS[name],normalized=sn); 
    print(name,sn,sum(p.numel() for p in g.generator.parameters()),sum(p.numel() for p in g.discriminators.parameters()))
    real=x[:16]; z=torch.randn(16,32); fr=torch.randint(6,(16,))
    for gp in (False,True):
      for rep in range(2):
        t=time.process_time()
        with torch.no_grad(): fake=g.generator(z)
        t1=time.process_time()
        D=partial(g.discriminators,frames=fr)
        l=discriminator_hinge_loss(D(real),D(fake))
        if gp: l=l+gradient_penalty(D,real)
        l.backward(); t2=time.process_time()
        generator_hinge_loss(D(g.generator(z))).backward(); t3=time.process_time()
      print(name,sn,gp,f"G fwd {1e3*(t1-t):.0f} D {1e3*(t2-t1):.0f} G step {1e3*(t3-t2):.0f} total {1e3*(t3-t):.0f} ms cpu",flush=True)
