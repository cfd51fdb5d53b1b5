import time, sys
from dataclasses import replace
import numpy as np
from common.data.sprites.attributes import *
from common.data.sprites import scene_of, render, is_held_out
from common.data.sprites.dice import Dice
from common.evaluation.sprite_reader import read_sprites, accuracy
import torch
torch.set_num_threads(1)
def scene(i, sizes):
    d=Dice(i, 2**63+5)
    while True:
        bg=d.choice(BACKGROUNDS); bc=d.choice(COLORS); sh=d.choice(SHAPES); c=d.choice(COLORS,but=[bc]); s=d.choice(sizes); m=d.choice(MOTIONS)
        w=SceneWords((ObjectWords(sh,c,s,m),),bg,bc,"still")
        if not is_held_out(w): return scene_of(w,i)
n=int(sys.argv[1])
for sizes in (["large"],["small","large"]):
    t=time.process_time(); sc=[scene(i,sizes) for i in range(n)]; print("draw ms",(time.process_time()-t)/n*1e3)
    for size in (32,48):
        for T,step in ((17,2),(9,1),(12,1)):
            t=time.process_time(); b=render(sc,T,size); r=(time.process_time()-t)/n*1e3
            x=b.clips()[:,:,::step]
            t=time.process_time(); f=read_sprites(x,fps=FPS/step); q=(time.process_time()-t)/n*1e3
            a=accuracy([s.words for s in sc],f)
            print(sizes,size,x.shape[2],FPS/step,f"render {r:.1f} read {q:.0f} ms",{k:round(v,3) for k,v in a.items() if k in("shape","color","size","motion","background","background_color","camera","all")},flush=True)
