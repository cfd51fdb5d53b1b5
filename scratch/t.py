import time,torch
torch.set_num_threads(1)
from common.zoo.sprites_gan.recipe import RECIPE as A
from common.zoo.sprites_gan_frames.recipe import RECIPE as B
from common.training import KeyedNoise
for R in (A,B):
    m=R.build_model("cpu"); d=R.data("cpu"); _,s=R.at("main","cpu"); o=[R.optimizer(p,s) for p in (m.generator,m.discriminators)]
    for k in range(2): R.step(m,o,d.batch(range(16)),KeyedNoise(0,range(16)))
    t=time.process_time()
    for k in range(12): R.step(m,o,d.batch(range(16*k,16*k+16)),KeyedNoise(0,range(16*k,16*k+16)))
    print(R.name,(time.process_time()-t)/12)
