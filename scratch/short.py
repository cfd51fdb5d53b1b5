import sys
from dataclasses import replace
from common.training import train
from common.zoo.sprites_content_motion.recipe import RECIPE
from common.zoo.sprites_entangled.recipe import RECIPE as ENT
import torch; torch.set_num_threads(1)
which,steps,batch,folder=sys.argv[1],int(sys.argv[2]),int(sys.argv[3]),sys.argv[4]
R={"split":RECIPE,"ent":ENT}[which]
s=replace(R.stages["main"].settings["cpu"],steps=steps,batch_size=batch,measure_every=0,sheet_every=0,checkpoint_every=250,log_every=50,ema_decay=0.99)
train(R,"cpu",folder=folder,settings=s,quiet=True)
