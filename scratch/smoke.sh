. /work/runs/024/env.sh; cd /work/wt/024
F=/work/runs/024/smoke; rm -rf $F
time $PY - <<'P'
import time
from common.training import train
from common.zoo.sprites_content_motion.recipe import RECIPE
from dataclasses import replace
s=RECIPE.stages["main"].settings["cpu"]
t=time.process_time()
train(RECIPE,"cpu",folder="/work/runs/024/smoke/main",settings=replace(s,steps=6,checkpoint_every=100,measure_every=0,sheet_every=0,log_every=1,batch_size=16),quiet=True)
print("cpu",time.process_time()-t)
P
cut -c1-220 $F/main/log.jsonl
