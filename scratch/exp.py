"""Experiments: python exp.py NAME key=value ..."""
import sys, time, json, math
import torch, torch.nn as nn, torch.nn.functional as F
from einops import rearrange
sys.path.insert(0, '/work/wt/021')
torch.set_num_threads(1)
from common.data.digits import DigitData
from common.training.muon import Muon

class Cell(nn.Module):
    def __init__(s, cin, h, k):
        super().__init__(); s.h=h; s.gates=nn.Conv2d(cin+h, 4*h, k, padding=k//2)
        nn.init.zeros_(s.gates.bias); s.gates.bias.data[h:2*h]=1.
    def forward(s, x, st):
        h,c = st
        i,f,g,o = s.gates(torch.cat([x,h],1)).chunk(4,1)
        c = torch.sigmoid(f)*c + torch.sigmoid(i)*torch.tanh(g)
        return torch.sigmoid(o)*torch.tanh(c), c

class Two(nn.Module):
    """fine 16x16, coarse 8x8, top-down with one step delay"""
    def __init__(s, F_=48, C=96, kf=3, kc=3, td=24, mode='logit', head=3, cin=0):
        super().__init__(); s.F,s.C,s.mode,s.td=F_,C,mode,td
        s.fine=Cell(16+td,F_,kf); s.down=nn.Conv2d(4*F_,C,1); s.coarse=Cell(C,C,kc)
        s.up=nn.Conv2d(C,4*F_,1)
        if td: s.top=nn.Conv2d(C,4*td,1)
        s.out=nn.Conv2d(2*F_,16,head,padding=head//2)
        if mode=='logit': nn.init.constant_(s.out.bias,-3.)
    def init(s,B):
        z=lambda c,n: torch.zeros(B,c,n,n)
        return [(z(s.F,16),z(s.F,16)),(z(s.C,8),z(s.C,8))]
    def step(s,x,st):
        p=rearrange(x,'b c (h a) (w d) -> b (c a d) h w',a=4,d=4)
        if s.td:
            t=rearrange(s.top(st[1][0]),'b (c a d) h w -> b c (h a) (w d)',a=2,d=2); p=torch.cat([p,t],1)
        f=s.fine(p,st[0])
        d=F.silu(s.down(rearrange(f[0],'b c (h a) (w d) -> b (c a d) h w',a=2,d=2)))
        c=s.coarse(d,st[1])
        u=rearrange(s.up(c[0]),'b (c a d) h w -> b c (h a) (w d)',a=2,d=2)
        y=s.out(F.silu(torch.cat([f[0],u],1)) if False else torch.cat([f[0],u],1))
        y=rearrange(y,'b (c a d) h w -> b c (h a) (w d)',a=4,d=4)
        return y,[f,c]
class One(nn.Module):
    def __init__(s, P=8, H=128, L=1, k=3, mode='logit'):
        super().__init__(); s.P,s.H,s.L,s.mode=P,H,L,mode
        s.cells=nn.ModuleList(Cell(P*P if i==0 else H,H,k) for i in range(L))
        s.out=nn.Conv2d(H*L,P*P,3,padding=1)
        if mode=='logit': nn.init.constant_(s.out.bias,-3.)
    def init(s,B):
        n=64//s.P; return [(torch.zeros(B,s.H,n,n),torch.zeros(B,s.H,n,n)) for _ in range(s.L)]
    def step(s,x,st):
        x=rearrange(x,'b c (h a) (w d) -> b (c a d) h w',a=s.P,d=s.P); new=[]
        for cell,t in zip(s.cells,st):
            t=cell(x,t); new.append(t); x=t[0]
        return rearrange(s.out(torch.cat([t[0] for t in new],1)),'b (c a d) h w -> b c (h a) (w d)',a=s.P,d=s.P),new

def rollout(m, clip, past, tf=0., gen=None):
    """outputs for frames 1..T-1 (pre-activation) ; clip (B,T,1,H,W)"""
    st=m.init(len(clip)); outs=[]; y=None
    for t in range(clip.shape[1]-1):
        if t<past: x=clip[:,t]
        else:
            x=torch.sigmoid(y) if m.mode=='logit' else y.clamp(0,1) if m.mode=='clamp' else y
            if tf>0:
                keep=(torch.rand(len(clip),1,1,1,generator=gen)<tf); x=torch.where(keep,clip[:,t],x)
        y,st=m.step(x,st); outs.append(y)
    return torch.stack(outs,1)
def loss_fn(m,outs,tgt,past,wp):
    if m.mode=='logit':
        if wp=='bce' : pass
    e=F.binary_cross_entropy_with_logits(outs,tgt,reduction='none') if m.mode=='logit' and LOSS=='bce' else ((torch.sigmoid(outs) if m.mode=='logit' else outs)-tgt)**2
    e=e.mean((0,2,3,4))*(1 if LOSS=='bce' else 4)
    w=torch.ones_like(e); w[:past-1]=WARM
    return (e*w).sum()/w.sum()
@torch.no_grad()
def test(m,n=32):
    x=DigitData('train',seed=1).batch(range(n)).pixels.float()[:,0,:,None]/255
    o=rollout(m,x,10)[:,9:]; p=torch.sigmoid(o) if m.mode=='logit' else o.clamp(0,1)
    e=((p-x[:,10:])**2).sum((2,3,4)).mean(0); return e.mean().item(),[round(v) for v in e.tolist()]
def main():
    global LOSS,WARM
    a=dict(kv.split('=') for kv in sys.argv[2:]); name=sys.argv[1]
    arch=a.pop('arch','Two'); LOSS=a.pop('loss','bce'); WARM=float(a.pop('warm','0.5')); lr=float(a.pop('lr','5e-3')); B=int(a.pop('B','8'))
    secs=float(a.pop('secs','0')); opt=a.pop('opt','muon'); lens=a.pop('lens','20:10'); tf0=float(a.pop('tf','0.0')); ema_d=float(a.pop('ema','0.98')); decay=a.pop('decay','lin')
    k={x:(y if not y.lstrip('-').isdigit() else int(y)) for x,y in a.items()}
    torch.manual_seed(0); m=globals()[arch](**k)
    from torch.utils.flop_counter import FlopCounterMode
    with FlopCounterMode(display=False) as fc, torch.no_grad(): rollout(m,torch.rand(1,20,1,64,64),10)
    print(name,sys.argv[2:],'params',sum(p.numel() for p in m.parameters()),'GMAC',round(fc.get_total_flops()/2e9,2),flush=True)
    ps=dict(m.named_parameters()); mats=[p for n,p in ps.items() if p.ndim>=2 and 'out' not in n]; rest=[p for n,p in ps.items() if p.ndim<2 or 'out' in n]
    o=Muon(mats,rest,lr=lr,weight_decay=0.01) if opt=='muon' else torch.optim.AdamW(m.parameters(),lr=lr,betas=(.9,.95))
    base=[g['lr'] for g in o.param_groups]; import copy; em=copy.deepcopy(m)
    sched=[tuple(map(int,s.split(':'))) for s in lens.split(',')]
    used=0; step=0; i=0; nextp=secs/6; lastp=0; gen=torch.Generator().manual_seed(1); log=[]
    while True:
        b=time.process_time(); fr=used/max(secs,1e-9)
        if secs and fr>=1: break
        T,past=sched[min(int(fr*len(sched)),len(sched)-1)]
        x=DigitData(num_frames=T).batch(range(i,i+B)).pixels.float()[:,0,:,None]/255; i+=B
        f=min(1,(step+1)/20)*( (1 if fr<.3 else max(0.02,(1-fr)/.7)) if decay=='lin' else 1)
        for g,l in zip(o.param_groups,base): g['lr']=l*f
        tf=max(0.,tf0*(1-2*fr)) if tf0 else 0.
        outs=rollout(m,x,past,tf,gen); l=loss_fn(m,outs,x[:,1:],past,None)
        o.zero_grad(); l.backward(); gn=nn.utils.clip_grad_norm_(m.parameters(),1.0); o.step()
        with torch.no_grad():
            d=min(ema_d,(1+step)/(10+step))
            for p,q in zip(em.parameters(),m.parameters()): p.lerp_(q,1-d)
        dt=time.process_time()-b; used+=dt; step+=1; log.append(l.item())
        if not secs:
            print('step',step,round(dt,2),'s',round(dt/B*1e3),'ms/seq loss',round(l.item(),1),'gn',round(gn.item(),1),flush=True)
            if step==3: return
        elif used>nextp:
            nextp+=secs/6; e,pe=test(em); print(f'{name} {used:.0f}s step {step} seq {i} loss {sum(log[-20:])/len(log[-20:]):.1f} gn {gn:.1f} MSE {e:.1f} {pe}',flush=True)
    e,pe=test(em,64); print(f'{name} END {used:.0f}s step {step} seq {i} MSE {e:.1f} {pe}',flush=True)
    torch.save(em.state_dict(),f'/work/runs/021/{name}.pt')
main()
