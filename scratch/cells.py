import pytest
import os,sys,json,time,ast,shutil,traceback
os.environ["FLIPBOOK_PRESET"]="ci"; os.environ["FLIPBOOK_STRICT"]="1"
import matplotlib; matplotlib.use("Agg")
import torch; torch.set_num_threads(1)
from common.models.content_motion import *
for k in PRESETS: print(k,ContentMotionVAE(**PRESETS[k]).num_parameters(),EntangledVAE(**PRESETS[k]).num_parameters())
Z="/work/wt/024/common/zoo/"; src=sys.argv[1]; OUT="/work/runs/024/cells/"; shutil.rmtree(OUT,ignore_errors=True); os.makedirs(OUT)
if src!="-":
    from safetensors import safe_open
    with safe_open(src,"pt") as s: ema={k[4:]:s.get_tensor(k) for k in s.keys() if k.startswith("ema.")}
    m=ContentMotionVAE(**PRESETS["cpu"]); m.load_state_dict(ema); m.save_pretrained(Z+"sprites_content_motion")
    torch.manual_seed(0); EntangledVAE(**PRESETS["cpu"]).save_pretrained(Z+"sprites_entangled")
import tqdm as TQ
NB=1
nb=json.load(open(sys.argv[2])); ns={"__name__":"__main__"}; n=0
import matplotlib.pyplot as plt
def shown(v,i):
    if v is None: return
    if hasattr(v,"save"): v.save(OUT+f"{i:02d}.png")
    elif hasattr(v,"savefig"): v.savefig(OUT+f"{i:02d}.png")
    else: print(repr(v)[:300])
try:
  for i,c in enumerate(nb["cells"]):
    if c["cell_type"]!="code": continue
    code="".join(c["source"]).replace('{"ci": 48,','{"ci": 10,').replace('{"ci": 120,','{"ci": 2,').replace('{"ci": 30,','{"ci": 1,').replace('{"ci": 512}','{"ci": 64}').replace("256, ","96, ").replace("1384","1128").replace("num_fit=256","num_fit=96").replace("from tqdm import tqdm","tqdm=lambda x,**k:x")
    tags=c["metadata"].get("tags",[])
    if "check" in tags: continue
    plt.show=lambda *a,**k: (plt.gcf().savefig(OUT+f"{i:02d}_f.png"),plt.close("all"))
    t=time.process_time(); w=time.time()
    try:
        tree=ast.parse(code); last=None
        if tree.body and isinstance(tree.body[-1],ast.Expr): last=ast.Expression(tree.body.pop().value)
        exec(compile(tree,f"cell{i}","exec"),ns)
        if last is not None: shown(eval(compile(last,f"cell{i}","eval"),ns),i)
    except Exception: print("CELL",i); traceback.print_exc(); n+=1
    print(f"-- cell {i} {time.process_time()-t:.1f} s cpu, {time.time()-w:.0f} s",flush=True)
finally:
    if src!="-":
        for f in ("config.json","diffusion_pytorch_model.safetensors"):
            for z in ("sprites_content_motion/","sprites_entangled/"): os.path.exists(Z+z+f) and os.remove(Z+z+f)
print("errors",n)
