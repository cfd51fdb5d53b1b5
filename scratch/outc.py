import importlib.util, time, sys, torch
sys.path.insert(0,"/work/wt/023/tests/labs/02_early_models")
torch.set_num_threads(1)
import calibrate_03_tiny_video_gan as c
spec=importlib.util.spec_from_file_location("g","/work/wt/023/tests/labs/02_early_models/test_03_tiny_video_gan.py"); g=importlib.util.module_from_spec(spec); spec.loader.exec_module(g)
from common.training.adversarial import adversarial_step
for n in (120,240):
  for name,st in (("ref",adversarial_step),("judge still",c.judge_stands_still),("gen still",c.generator_stands_still),("away",c.generator_runs_away)):
    t=time.process_time(); print(n,name,[round(g.distance_after(st,s,n),3) for s in range(2 if n==120 else 3)], round((time.process_time()-t)/2,2), flush=True)
