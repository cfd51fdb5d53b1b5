import torch,time
torch.set_num_threads(1)
def t(f,n=3):
    f(); b=time.process_time()
    for _ in range(n): f()
    return (time.process_time()-b)/n
for B,cin,cout,k,s in [(8,128,256,3,16),(16,128,256,3,16),(8,256,512,3,8),(16,256,512,3,8),(8,96,256,5,16),(8,144,256,3,16)]:
  for cl in (False,True):
    conv=torch.nn.Conv2d(cin,cout,k,padding=k//2)
    x=torch.randn(B,cin,s,s,requires_grad=True)
    if cl: conv=conv.to(memory_format=torch.channels_last); x=x.detach().to(memory_format=torch.channels_last).requires_grad_()
    with torch.no_grad(): f=t(lambda: conv(x))
    g=torch.randn(B,cout,s,s)
    fb=t(lambda: conv(x).backward(g))
    mac=B*cin*cout*k*k*s*s
    print(B,cin,cout,k,s,'CL' if cl else '  ',f'fwd {f*1e3:.1f} ms {2*mac/f/1e9:.0f} GF/s  fwd+bwd {fb*1e3:.1f} ms {6*mac/fb/1e9:.0f} GF/s')
