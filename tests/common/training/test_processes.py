"""Several processes follow the curve of one: a step has its samples, and a sample its noise, whoever trains on it."""

import contextlib
import os
import signal
import subprocess

from common.training import read_log

# As in common/training/README.md, for two processes on a CPU.
FSDP = """
compute_environment: LOCAL_MACHINE
distributed_type: FSDP
use_cpu: true
num_machines: 1
num_processes: 2
mixed_precision: "no"
fsdp_config:
  fsdp_version: 2
  fsdp_auto_wrap_policy: SIZE_BASED_WRAP
  fsdp_min_num_params: 500
  fsdp_state_dict_type: FULL_STATE_DICT
  fsdp_cpu_ram_efficient_loading: false
"""


def train_elsewhere(launcher, folder, recipe_file, python, environment):
    command = [*python, "-m", *launcher, "-m", "common.cli.train", str(recipe_file), "--folder", str(folder),
               "--steps", "20", "--set", "log_every=1"]  # fmt: skip
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        _, errors = process.communicate(timeout=200)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the launcher's children too, should it hang
    assert process.returncode == 0, errors
    return read_log(folder)


def difference(one, other) -> float:
    assert [line["step"] for line in one] == [line["step"] for line in other] == list(range(20))
    names = ("loss", "bias", "grad_norm", "spread")
    return max(abs(a[name] - b[name]) for a, b in zip(one, other) for name in names if name in a)


def test_two_processes_follow_the_curve_of_one(tmp_path, run, recipe_file, python, elsewhere):
    one = run(tmp_path / "one", steps=20, log_every=1)
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    two = train_elsewhere(launcher, tmp_path / "two", recipe_file, python, elsewhere)
    assert difference(one, two) < 1e-5
    assert difference(one, run(tmp_path / "other", steps=20, log_every=1, seed=1)) > 1e-3
    # And one process goes on where two had stopped.
    (tmp_path / "two" / "checkpoints" / "step_00000020.safetensors").unlink()
    assert difference(one, run(tmp_path / "two", steps=20, log_every=1)) < 1e-5


def test_weights_in_shards_follow_it_too(tmp_path, run, recipe_file, python, elsewhere):
    (tmp_path / "fsdp.yaml").write_text(FSDP)
    one = run(tmp_path / "one", steps=20, log_every=1)
    launcher = ["accelerate.commands.launch", "--config_file", str(tmp_path / "fsdp.yaml"), "--main_process_port", "0"]
    shards = train_elsewhere(launcher, tmp_path / "shards", recipe_file, python, elsewhere)
    assert difference(one, shards) < 1e-5
    # Its checkpoint holds whole tensors: one process goes on with it.
    (tmp_path / "shards" / "checkpoints" / "step_00000020.safetensors").unlink()
    assert difference(one, run(tmp_path / "shards", steps=20, log_every=1)) < 1e-5
