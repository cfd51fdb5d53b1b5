"""explore: python ex.py NAME seed steps key=val ..."""
import sys, time, json, torch, os
from functools import partial
torch.set_num_threads(1)
from common.data.sprites.modes import ModeData
from common.models.video_gan import VideoGAN, PRESETS
from common.training.adversarial import adversarial_step
from common.training.ema import Ema
from common.evaluation.sprite_reader import read_sprites
from common.evaluation.modes import clip_modes, mode_report
from common.evaluation.paths import object_paths, straightness
from common.show import strips, contact_sheet
name, seed, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
o=dict(lr=2e-3,dr=1.0,b1=0.0,sn=1,gp=0.0,pack=1,M=1,B=16,every=100,n=96,video=1,preset="ci",size=20,T=6,ema=0.98,ch=0,jc=0,start="",N=1920)
for kv in sys.argv[4:]:
    k,v=kv.split("="); o[k]=type(o[k])(v)
pf=f"/work/runs/023/data_{o['size']}_{o['T']}_{o['N']}.pt"
data=ModeData(o['T'],o['size'])
if os.path.exists(pf): X,modes=torch.load(pf)
else:
    X=data.batch(range(o['N'])); modes=[data.mode(i) for i in range(o['N'])]; torch.save((X,modes),pf)
torch.manual_seed(seed)
cfg=dict(PRESETS[o['preset']]); cfg.update(num_frames=o['T'],size=o['size'])
if o['ch']: cfg['channels']=o['ch']
if o['jc']: cfg['judge_channels']=o['jc']
g=VideoGAN(**cfg,branches=["image","video"] if o['video'] else ["image"],pack=o['pack'],normalized=bool(o['sn']))
if o['start']:
    sd=torch.load(o['start']); 
    g.load_state_dict(sd)
og=torch.optim.Adam(g.generator.parameters(),lr=o['lr'],betas=(o['b1'],0.99))
od=torch.optim.Adam(g.discriminators.parameters(),lr=o['lr']*o['dr'],betas=(o['b1'],0.99))
ema=Ema(g.generator,o['ema'])
gen=torch.Generator().manual_seed(seed)
def measure(step,losses):
    z=torch.randn(o['n'],32,generator=torch.Generator().manual_seed(99))
    g.eval()
    with torch.no_grad(), ema.applied_to(g.generator): x=g.generator(z)
    g.train()
    t=time.process_time()
    r=read_sprites(x); m=clip_modes(r); rep=mode_report(m,modes)
    mc=mode_report(clip_modes(r,("shape","color")),[q[:2] for q in modes]); cc=mode_report(clip_modes(r,("color",)),[q[1:2] for q in modes])
    st=straightness(object_paths(x)).mean().item()
    print(json.dumps(dict(step=step,cpu=round(time.process_time()-t0),known=round(rep.known,2),cov=round(rep.coverage,2),eff=round(rep.effective_modes,1),rec=round(rep.recall,2),sc_known=round(mc.known,2),sc_eff=round(mc.effective_modes,1),c_eff=round(cc.effective_modes,2),straight=round(st,2),**{k:round(float(v),2) for k,v in losses.items()})),flush=True)
    return x
t0=time.process_time()
for step in range(steps):
    idx=torch.randint(len(X),(o['B'],),generator=gen); real=X[idx].float()/127.5-1
    z=torch.randn(1+o['M'],o['B'],32,generator=gen); fr=torch.randint(o['T'],(o['B'],),generator=gen)
    losses=adversarial_step(g.generator,partial(g.discriminators,frames=fr),(og,od),real,z,o['gp'])
    ema.update(g.generator,step)
    if (step+1)%o['every']==0 or step==0 : x=measure(step+1,losses)
strips({f"{i}":x[i] for i in range(12)},num_frames=6).save(f"/work/runs/023/{name}.png")
torch.save(g.state_dict(),f"/work/runs/023/{name}.pt")
