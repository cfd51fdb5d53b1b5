#!/bin/bash
# Ship digits-convlstm from a worktree: bash /work/runs/021/ship.sh [WORKTREE]. Resumable: run again after a stop.
set -e
TREE=${1:-/work/wt/021}; cd $TREE
export OMP_NUM_THREADS=1 PYTHONPATH=$TREE
PY=/work/main/.venv/bin/python
RUN=/work/runs/021/ship
nice $PY -m common.course train digits-convlstm --folder $RUN/main
cp $RUN/main/weights/config.json $RUN/main/weights/diffusion_pytorch_model.safetensors common/zoo/digits_convlstm/
$PY - <<'P'
import json
from pathlib import Path
run, card = Path("/work/runs/021/ship/main"), Path("/work/runs/021/card")
last = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
print(last)
P
echo "now: fill MADE and FAILS in card/card.md, write card.json (card/make_card.py), then:"
echo "  $PY -m common.course evaluate digits-convlstm --update; ... --setting full --update"
