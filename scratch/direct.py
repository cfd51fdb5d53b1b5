import importlib.util, sys, time, traceback, inspect
from types import SimpleNamespace
import torch; torch.set_num_threads(1)
import common.models.convlstm as M, common.evaluation.prediction as P
spec=importlib.util.spec_from_file_location('g','/work/wt/021/tests/labs/02_early_models/test_01_moving_mnist_predictor.py'); g=importlib.util.module_from_spec(spec); spec.loader.exec_module(g)
lab=SimpleNamespace(**vars(M),error_per_frame=P.error_per_frame)
for seed in (0,7,12345):
  for n,f in vars(g).items():
    if n.startswith('test_'):
        kw=set(inspect.signature(f).parameters); cases=[{}]
        for m in getattr(f,'pytestmark',[]):
            if m.name=='parametrize': cases=[{m.args[0]:v} for v in m.args[1]]
        for c in cases:
            if seed and n=='test_the_parts_learn_which_way': continue
            b=time.process_time()
            try: f(**({'lab':lab,'seed':seed}|c if 'seed' in kw else {'lab':lab}|c)); ok='ok'
            except BaseException as e: ok='FAIL '+repr(e)[:600]
            d=time.process_time()-b
            if ok!='ok' or d>.2: print(seed,n,c,ok,round(d,2))
