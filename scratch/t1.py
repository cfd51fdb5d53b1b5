import torch,time
torch.set_num_threads(1)
from common.models.content_motion import *
for p,k in PRESETS.items():
    m=ContentMotionVAE(**k); e=EntangledVAE(**k); print(p,m.num_parameters(),e.num_parameters())
m=ContentMotionVAE(**PRESETS["cpu"])
x=torch.rand(16,3,4,32,32)*2-1
for i in range(3):
    t=time.process_time(); c=m.encode(x); t1=time.process_time(); y=m.decode(c.content.sample(),c.motion.sample()).sample; t2=time.process_time(); sum(negative_elbo(y,x,c,num_frames=9).values()).mean().backward(); print(t1-t,t2-t1,time.process_time()-t2)
