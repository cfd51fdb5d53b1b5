import time, itertools, sys
import numpy as np, torch
from common.data.sprites import SceneWords, ObjectWords, scene_of, render
from common.evaluation.sprite_reader import read_sprites
torch.set_num_threads(1)
SH=("circle","square","triangle","star","cross","ring")
COL=("red","yellow","green","blue"); MO=("left","right","up","down","still","grow","bounce","orbit")
bg="black"
rng=np.random.default_rng(0)
N=60
scenes=[];asked=[]
for i in range(N):
    w=ObjectWords(SH[rng.integers(6)],COL[rng.integers(4)],"large",MO[rng.integers(8)])
    scenes.append(scene_of(SceneWords((w,), "field", bg), i)); asked.append(w)
for size in (12,16,20,24,32):
    for T in (5,8):
        clips=render(scenes,T,size).clips()
        t=time.time(); r=read_sprites(clips); dt=(time.time()-t)/N
        ok={k:np.mean([len(x.objects)==1 and getattr(x.objects[0],k)==getattr(a,k) for x,a in zip(r,asked)]) for k in ("shape","color","motion","size")}
        per={m:round(float(np.mean([len(x.objects)==1 and x.objects[0].motion==m for x,a in zip(r,asked) if a.motion==m])),2) for m in MO}
        pers={m:round(float(np.mean([len(x.objects)==1 and x.objects[0].shape==m for x,a in zip(r,asked) if a.shape==m])),2) for m in SH}
        print(size,T,{k:round(float(v),2) for k,v in ok.items()},f"{1e3*dt:.1f}ms",per,pers,flush=True)
