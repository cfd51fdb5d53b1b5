import sys,torch
from safetensors import safe_open
from common.models.content_motion import *
f,out,cls=sys.argv[1:4]
with safe_open(f,"pt") as s:
    keys=list(s.keys()); print(sorted({k.split("/")[0].split(".")[0] for k in keys})[:10],keys[:3])
    import re
    ema={k[len("ema/"):]:s.get_tensor(k) for k in keys if k.startswith("ema/")} or {k[4:]:s.get_tensor(k) for k in keys if k.startswith("ema.")}
m={"split":ContentMotionVAE,"ent":EntangledVAE}[cls](**PRESETS["cpu"])
m.load_state_dict(ema); m.save_pretrained(out)
