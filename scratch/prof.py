import torch,time
torch.set_num_threads(1); torch.manual_seed(0)
from common.zoo.sprites_content_motion.recipe import *
from common.zoo.sprites_entangled.recipe import RECIPE as ENT
from common.training.keyed_noise import KeyedNoise
for B,R,n in ((16,RECIPE,6),(32,RECIPE,4),(16,ENT,4)):
    s=R.stages["main"].settings["cpu"]
    m=R.build_model("cpu"); o=R.optimizer(m,s); T=[0,0,0,0]
    for i in range(n):
        c=time.process_time; t0=c(); idx=list(range(B*i,B*i+B)); x=R.data("cpu").batch(idx); t1=c()
        l=R.compute_loss(m,x,KeyedNoise(0,idx))["loss"]; t2=c(); l.backward(); t3=c(); o.step(); o.zero_grad(); t4=c()
        if i: 
            for k,v in enumerate((t1-t0,t2-t1,t3-t2,t4-t3)): T[k]+=v/(n-1)
    print(R.name,B,"data fwd bwd opt", [round(v*1e3) for v in T])
