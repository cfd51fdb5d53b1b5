cd /work/runs/023
run(){ n=$1; shift; OMP_NUM_THREADS=1 PYTHONPATH=/work/wt/023 nice -n 19 /work/main/.venv/bin/python ex.py $n "$@" > $n.log 2>&1; }
run s1 0 800 lr=1.5e-3 sn=0 gp=1 n=48
run ssn 0 800 lr=1.5e-3 sn=1 gp=0 n=48
run splain 0 800 lr=1.5e-3 sn=0 gp=0 n=48
