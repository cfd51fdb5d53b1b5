#!/bin/bash
# Everything that lab 02.3 still needs, in order; each step may be stopped and given again. Run in the checkout of branch p2-023.
set -e
W=${1:-/work/wt/023}; R=/work/runs/023; P=/work/main/.venv/bin/python
cd $W; export PYTHONPATH=$W OMP_NUM_THREADS=1
nice -n 5 $P -m common.cli.train sprites-gan --preset cpu --folder $R/main
nice -n 5 $P -m common.cli.train sprites-gan-frames --preset cpu --folder $R/frames
for n in "sprites-gan main" "sprites-gan-frames frames"; do set -- $n
  $P $R/finalize.py $1 $R/$2
  $P -m common.course evaluate $1 --setting small --update
  $P -m common.course evaluate $1 --setting full --update
done
$P tests/labs/02_early_models/calibrate_03_tiny_video_gan.py grader
# look at the arms first:  $P $R/arms.py 100 25 0 'nobrake:0:2e-3:2e-3:1' 'ahead:0:2e-3:2e-3:4' 'penalty:0.3:2e-3:2e-3:4' 'slow:0:2.5e-4:2e-3:4'
# then set ARMS in solutions/02_early_models/03_tiny_video_gan.py, and
$P tests/labs/02_early_models/calibrate_03_tiny_video_gan.py study
$P -m common.course build 02.3
$P -m common.course check 02.3 --target solutions --seed 7
$P -m common.course mutants 02.3
