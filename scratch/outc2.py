import re,types,time,torch,sys
torch.set_num_threads(1)
src=open("/work/wt/023/tests/labs/02_early_models/test_03_tiny_video_gan.py").read()
from common.training.adversarial import adversarial_step
for lr,n in ((0.02,80),(0.02,110),(0.01,160)):
    m=types.ModuleType("g"); exec(compile(src.replace("lr=0.01, betas","lr=%g, betas"%lr),"g","exec"),m.__dict__)
    t=time.process_time(); print(lr,n,[round(m.distance_after(adversarial_step,s,n),3) for s in range(5)],round((time.process_time()-t)/5,2),flush=True)
