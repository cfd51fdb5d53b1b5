export OMP_NUM_THREADS=1
P="nice -n 5 /work/main/.venv/bin/python exp.py"
$P A secs=100
$P One8 secs=100 arch=One H=128
$P Mse secs=100 loss=mse
$P Lr secs=100 lr=1e-2
$P Cur secs=100 lens=10:5,20:10
$P Tf secs=100 tf=1.0
