import time, torch
import torch.nn as nn, torch.nn.functional as F
torch.set_num_threads(1)
def bench(f,n=3):
    f(); t=time.process_time()
    for _ in range(n): f()
    return 1e3*(time.process_time()-t)/n
B,T=16,6
def case(name,conv,x):
    x=x.requires_grad_(True)
    def f():
        y=conv(x); y.backward(torch.ones_like(y))
    print(f"{name:40s}{bench(f):7.1f} ms",flush=True)
C=32
case("conv3d 1x3x3 C32 5x5",nn.Conv3d(C,C,(1,3,3),padding=(0,1,1)),torch.randn(B,C,T,5,5))
case("conv2d folded",nn.Conv2d(C,C,3,padding=1),torch.randn(B*T,C,5,5))
case("conv2d folded cl",nn.Conv2d(C,C,3,padding=1).to(memory_format=torch.channels_last),torch.randn(B*T,C,5,5).to(memory_format=torch.channels_last))
case("conv3d 1x3x3 C16 10x10",nn.Conv3d(16,16,(1,3,3),padding=(0,1,1)),torch.randn(B,16,T,10,10))
case("conv2d folded",nn.Conv2d(16,16,3,padding=1),torch.randn(B*T,16,10,10))
case("conv2d C32->12 10x10",nn.Conv2d(32,12,3,padding=1),torch.randn(B*T,32,10,10))
case("conv2d C24->12 10x10",nn.Conv2d(24,12,3,padding=1),torch.randn(B*T,24,10,10))
case("conv3d 3x1x1 C16 10x10",nn.Conv3d(16,16,(3,1,1),padding=(1,0,0)),torch.randn(B,16,T,10,10))
case("convT2d 32->16 4x4 s2 5->10",nn.ConvTranspose2d(32,16,4,stride=2,padding=1),torch.randn(B*T,32,5,5))
case("convT2d 16->3 4x4 s2 10->20",nn.ConvTranspose2d(16,3,4,stride=2,padding=1),torch.randn(B*T,16,10,10))
case("D3 first 3->16 10x10",nn.Conv3d(3,16,3,padding=1),torch.randn(2*B,3,T,10,10))
case("D3 first 3->16 s(1,2,2) k(3,4,4)",nn.Conv3d(3,16,(3,4,4),stride=(1,2,2),padding=(1,1,1)),torch.randn(2*B,3,T,10,10))
case("D3 second 16->32 s2",nn.Conv3d(16,32,3,stride=(1,2,2),padding=1),torch.randn(2*B,16,T,10,10))
case("D3 third 32->32 s2",nn.Conv3d(32,32,3,stride=2,padding=1),torch.randn(2*B,32,T,5,5))
case("D2 first 3->16 20x20 k4s2",nn.Conv2d(3,16,4,stride=2,padding=1),torch.randn(2*B,3,20,20))
case("D2 second",nn.Conv2d(16,32,4,stride=2,padding=1),torch.randn(2*B,16,10,10))
case("time-as-channels 18->32 k4s2 10x10",nn.Conv2d(18,32,4,stride=2,padding=1),torch.randn(2*B,18,10,10))
case("t-a-c 18->32 k3 10x10",nn.Conv2d(18,32,3,padding=1),torch.randn(2*B,18,10,10))
case("linear 96->4800",nn.Linear(96,4800),torch.randn(B,96))
