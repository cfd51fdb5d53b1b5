import sys,time,torch; torch.set_num_threads(1)
from common.models.content_motion import *
from common.zoo.sprites_content_motion.measures import *
from common.show import strips
folder,out,n=sys.argv[1],sys.argv[2],int(sys.argv[3])
m=ContentMotionVAE.from_pretrained(folder,torch_dtype=torch.float32).eval()
P=pairs(n)
for k in ("swap","from_still"):
    r=scores(k,lambda a,b:swap_motion(m,a,b),*P[k]); print({a:round(b,3) for a,b in r.items()},flush=True)
a,b=draw(P["swap"][0][:4]).clips(),draw(P["swap"][1][:4]).clips()
r=scores("recon",lambda x,y:m(x).sample.clamp(-1,1),P["swap"][0],P["swap"][0]); print({a:round(b,3) for a,b in r.items()})
s=swap_motion(m,a,b); rec=m(a).sample.clamp(-1,1)
rows={}
for i in range(3): rows|={f"content {i}":a[i],f"recon {i}":rec[i],f"motion {i}":b[i],f"swap {i}":s[i]}
strips(rows,num_frames=9,width=72).save(out)
