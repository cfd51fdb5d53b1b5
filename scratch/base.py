import torch,time
torch.set_num_threads(1)
from common.data.digits import DigitData
b=time.process_time()
x=DigitData('test').batch(range(400)).pixels.float()/255
print('data',time.process_time()-b)
past,fut=x[:,:,:10],x[:,:,10:]
def mse(p): return ((p-fut)**2).sum((1,3,4)).mean(0)
def show(n,p): m=mse(p.expand_as(fut)); print(n,round(m.mean().item(),1),[round(v) for v in m.tolist()])
show('last',past[:,:,-1:]); show('mean',past.mean(2,keepdim=True)); show('black',torch.zeros(1,1,1,1,1))
show('half last',past[:,:,-1:]*.5)
tr=DigitData().batch(range(2000)).pixels.float().mean((0,2),keepdim=True)/255
show('set mean',tr)
for a in (.3,.5,.7): show(f'mix {a}',a*past.mean(2,keepdim=True)+(1-a)*tr)
for k in (2,3,5): show(f'mean last {k}',past[:,:,-k:].mean(2,keepdim=True))
# global shift by correlation
def shift(x,dy,dx):
    return torch.roll(x,(dy,dx),(-2,-1))
F_=torch.fft.rfft2
def best(a,b,R=5):
    pa=torch.nn.functional.pad(a,(8,8,8,8)); pb=torch.nn.functional.pad(b,(8,8,8,8))
    c=torch.fft.irfft2(F_(pb)*F_(pa).conj())
    idx=[(dy,dx) for dy in range(-R,R+1) for dx in range(-R,R+1)]
    vals=torch.stack([c[...,dy,dx] for dy,dx in idx],-1)
    return torch.tensor(idx)[vals.argmax(-1)]
v=best(past[:,0,-2],past[:,0,-1])
out=torch.zeros_like(fut)
for i in range(len(x)):
    dy,dx=v[i].tolist()
    big=torch.zeros(64+200,64+200); big[100:164,100:164]=past[i,0,-1]
    for k in range(10):
        out[i,0,k]=big[100-dy*(k+1):164-dy*(k+1),100-dx*(k+1):164-dx*(k+1)]
show('shift',out)
