"""python arms.py steps every seed 'name:penalty:rg:rd' ... ; from newest checkpoint's EMA"""
import sys, time, json, torch
sys.path.insert(0,"/work/wt/023/tests/labs/02_early_models")
import calibrate_03_tiny_video_gan as c
from common.training import checkpoint
from common.zoo.sprites_gan.recipe import RECIPE
torch.set_num_threads(1)
lab=c.cells()
from pathlib import Path
import os
ck=checkpoint.load(checkpoint.files(Path("/work/runs/023/main/checkpoints"))[-1])
fin=RECIPE.build_model("cpu"); fin.load_state_dict({k[4:]:v for k,v in ck.tensors.items() if k.startswith("ema.")}); fin.eval()
steps,every,seed=map(int,sys.argv[1:4])
pix=lab.WORLD.batch(range(960)); wanted=[lab.WORLD.mode(i) for i in range(480)]
for a in sys.argv[4:]:
    name,p,rg,rd,mv=a.split(":")
    t=time.process_time()
    for s,g in lab.play(lab.Arm(float(p),(float(rg),float(rd)),int(mv)),seed,fin,pix,steps,every):
        r=lab.count(g.eval(),48,wanted); g.train()
        print(name,s,{k:round(v,2) for k,v in c.numbers(r).items()},round(time.process_time()-t),flush=True)
    from common.show import strips
    x=g.eval().sample(8,torch.Generator().manual_seed(5)); strips({str(i):q for i,q in enumerate(x)},num_frames=6,width=60).save(f"/work/runs/023/arm_{name}.png")
