"""The one training loop: accelerate's autocast and processes, accumulation, clipping, running mean, exact resume.

    train(recipe, "cpu", folder="runs/mine")

A step is decided by its number alone: its samples, their noise, its learning rate. What else a run holds is in
its checkpoints. So one that is killed and started again ends in the same weights, bit for bit on a CPU with the same
number of threads, and several processes follow the curve of one.
"""

import math
import sys
import time
from collections.abc import Iterable
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import send_to_device
from safetensors import SafetensorError

from common.files import is_full
from common.progress import progress_bar
from common.runtime import seed_everything
from common.training import checkpoint, snapshot
from common.training.batches import ahead, samples_of_step
from common.training.ema import Ema
from common.training.errors import TrainingError
from common.training.export import export
from common.training.identity import demand_same, identity, resolve_precision
from common.training.keyed_noise import KeyedNoise, name_key
from common.training.lock import locked
from common.training.recipe import Recipe, Settings
from common.training.records import Records
from common.training.schedule import learning_rate_factor, set_learning_rate


def train(
    recipe: Recipe,
    preset: str = "cpu",
    *,
    stage: str = "main",
    folder,
    settings: Settings | None = None,
    weights: dict[str, torch.Tensor] | None = None,
    quiet: bool = False,
) -> Path:
    """Train a recipe's model to the end of a stage, going on from the newest checkpoint in `folder` if there is one.

    Args:
        recipe: what is trained.
        preset: "ci", "cpu" or "gpu": the settings, and where it runs.
        stage: of the recipe.
        folder: of this run: `checkpoints/`, `sheets/`, `tensorboard/`, `log.jsonl`, and in the end `weights/`.
        settings: in place of the recipe's own.
        weights: a state dict to begin with, in place of fresh weights.
        quiet: no progress bar.

    Returns:
        The folder of the finished weights: the running mean in float16, for the model's `from_pretrained`.

    Raises:
        ValueError: there is no such stage or preset.
        TrainingError: it cannot begin or go on: the folder holds another run, the batch does not divide, the
            loss is not finite, the disk is full. The last good checkpoint is kept.
    """
    recipe, own_settings = recipe.at(stage, preset)
    settings, folder = settings or own_settings, Path(folder)
    accelerator = _accelerator(preset, resolve_precision(settings.precision, preset))
    samples_of_step(0, settings, 0, accelerator.num_processes)  # raises where the batch does not divide
    with locked(folder, wanted=accelerator.is_main_process):
        kind = recipe.training or Training
        training = kind(recipe, preset, stage, settings, folder, weights, accelerator, quiet)
        try:
            for step, parts in training.steps():
                measures = training.step(step, parts)
                training.look(step, measures)
                training.save(step)
            return training.finish()
        except (OSError, SafetensorError) as error:
            if is_full(error):
                raise TrainingError(
                    f"The disk is full: {error}. Make room and give the same command again: it goes on from the last "
                    f"checkpoint in {folder}."
                ) from error
            raise
        finally:
            training.close()


class Training:
    """The state of a training run: the model and everything that changes along with it.

    Args: as in `train`, and
        accelerator: which holds device, precision and processes.
    """

    advice = "try a lower learning rate, a longer warm-up, or fp32"  # where a step is not finite

    def __init__(self, recipe, preset, stage, settings, folder, weights, accelerator, quiet):
        self.recipe, self.preset, self.settings, self.folder = recipe, preset, settings, folder
        self.accelerator, self.is_main = accelerator, accelerator.is_main_process
        seed_everything(settings.seed)
        self.data, self.model = recipe.data(preset), recipe.build_model(preset)
        if weights is not None:
            self._begin_with(weights)
        self.identity = identity(
            recipe, preset, stage, settings, resolve_precision(settings.precision, preset), self.data, weights
        )
        self._prepare()
        self.ema = Ema(self.model, settings.ema_decay)
        self.first_step, self.seconds, self.cpu_seconds = self._resume()
        self.records = Records(folder, self.first_step) if self.is_main else None
        self.bar = progress_bar(
            always=True, total=settings.steps, initial=self.first_step, unit="step", desc=f"{recipe.name} {stage}",
            disable=quiet or not self.is_main or None,
        )  # fmt: skip

    def steps(self):
        """The steps still to do, each with this process's micro-batches: samples, and the noise that is theirs."""
        device = self.accelerator.device

        def load(step: int) -> tuple[int, list]:
            rank, num_processes = self.accelerator.process_index, self.accelerator.num_processes
            parts = samples_of_step(step, self.settings, rank, num_processes)
            return step, [(self.data.batch(part), KeyedNoise(self.settings.seed, part, device)) for part in parts]

        self.model.train()
        return ahead(load, range(self.first_step, self.settings.steps), 0 if device.type == "cpu" else 2)

    def step(self, step: int, parts: list) -> dict[str, float]:
        """One step. Returns what was measured with it, the learning rate, and the time that all steps so far took."""
        began, began_cpu = time.perf_counter(), time.process_time()
        factor = learning_rate_factor(step, self.settings)
        for optimizer in self.optimizers:
            set_learning_rate(optimizer, factor)
        measures = self._move(step, parts)
        self.ema.update(self.model, step)
        self.seconds += time.perf_counter() - began
        self.cpu_seconds += time.process_time() - began_cpu  # of all threads; what a busy machine does not lengthen
        shown = {"loss": measures["loss"]} if "loss" in measures else measures
        self.bar.set_postfix({name: f"{value:.4g}" for name, value in shown.items()}, refresh=False)
        self.bar.update()
        times = {"seconds": round(self.seconds, 3), "cpu_seconds": round(self.cpu_seconds, 3)}
        return measures | {"learning_rate": factor * self.settings.learning_rate, **times}

    def look(self, step: int, measures: dict[str, float]) -> None:
        """Write the log's line, measure, and draw the sample sheet, where they are due."""
        settings, done = self.settings, step + 1
        measured = {}
        if self.recipe.measure and self._is_due(done, settings.measure_every):
            with self._finished_model() as model:
                measured = self.recipe.measure(model, self.preset)
        if self.records and (measured or step == 0 or self._is_due(done, settings.log_every)):
            self.records.write(step, measures | measured)
        if self.recipe.sheet and self._is_due(done, settings.sheet_every):
            with self._finished_model() as model:
                picture = self.recipe.sheet(model, self.preset)
            if self.records:
                self.records.sheet(done, picture)

    def save(self, step: int) -> None:
        """Write a checkpoint, where it is due."""
        if self._is_due(step + 1, self.settings.checkpoint_every):
            tensors = self._state()  # all processes take part
            if self.is_main:
                state = {"identity": self.identity, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds,
                         "threads": torch.get_num_threads()}  # fmt: skip
                checkpoint.save(self.folder / "checkpoints", checkpoint.Checkpoint(step + 1, tensors, state))

    def finish(self) -> Path:
        """Write the finished weights."""
        state = snapshot.weights(self.model, self.ema)  # all processes take part
        if self.is_main:
            torch.manual_seed(self.settings.seed)
            model = self.recipe.build_model(self.preset)
            if self.recipe.finish:
                model.load_state_dict(state)
                with torch.no_grad():
                    self.recipe.finish(model.to(self.accelerator.device).eval(), self.preset)
            export(model.cpu(), state, self.folder / "weights")
        self.accelerator.wait_for_everyone()
        return self.folder / "weights"

    def close(self) -> None:
        """Let go of the log and the progress bar."""
        self.bar.close()
        if self.records:
            self.records.close()

    def _prepare(self) -> None:
        """Put the model where it runs, and make its optimiser."""
        optimizer = self.recipe.optimizer(self.model, self.settings)
        loss_module = LossModule(self.model, self.recipe.compute_loss)
        self.loss_module, self.optimizer = self.accelerator.prepare(loss_module, optimizer)
        self.optimizers = [self.optimizer]

    def _move(self, step: int, parts: list) -> dict[str, float]:
        """One move of the optimiser. Returns the loss and what was measured with it, means over the whole batch."""
        rank = self.accelerator.process_index
        torch.manual_seed(name_key(self.settings.seed, f"step {step} of process {rank}") >> 1)  # for dropout
        measures = self._backward(parts)
        parameters, limit = self.loss_module.parameters(), self.settings.max_grad_norm or math.inf
        measures["grad_norm"] = float(self.accelerator.clip_grad_norm_(parameters, limit))
        self._demand_finite(step, measures, ("loss", "grad_norm"), "The weights were not touched by it. ")
        self.optimizer.step()
        self.optimizer.zero_grad()
        return measures

    def _state(self) -> dict[str, torch.Tensor]:
        return snapshot.take(self.model, self.optimizer.optimizer, self.ema)

    def _restore(self, tensors: dict[str, torch.Tensor]) -> None:
        snapshot.restore(tensors, self.model, self.optimizer.optimizer, self.ema)

    def _begin_with(self, weights: dict[str, torch.Tensor]) -> None:
        try:
            self.model.load_state_dict(weights)
        except RuntimeError as error:
            raise TrainingError(f"The given weights are not of the recipe's model: {error}") from error

    def _resume(self) -> tuple[int, float, float]:
        """Put back the newest good checkpoint. Returns the steps done, the seconds they took, and the CPU's seconds."""
        found = checkpoint.load_newest(self.folder / "checkpoints", self._say)
        if found is None:
            return 0, 0.0, 0.0
        demand_same(found.state["identity"], self.identity, self.folder)
        if self.accelerator.device.type == "cpu" and found.state["threads"] != torch.get_num_threads():
            self._say(
                f"The steps so far used {found.state['threads']} threads, these use {torch.get_num_threads()}: "
                "the curve is the same up to rounding, not bit for bit."
            )
        try:
            self._restore(found.tensors)
        except (RuntimeError, ValueError, KeyError) as error:
            raise TrainingError(
                f"The recipe builds another model or optimiser now than the one in {self.folder}: {error}"
            ) from error
        self._say(f"Going on after step {found.step} of {self.settings.steps}.")
        return found.step, found.state["seconds"], found.state.get("cpu_seconds", 0.0)

    def _backward(self, parts: list) -> dict[str, float]:
        """Gradients of the mean loss over the whole batch; what the loss returned, as means over the same."""
        totals: dict[str, torch.Tensor] = {}
        for k, (batch, noise) in enumerate(parts, start=1):
            waits = k < len(parts)  # processes exchange gradients with the last part alone
            with self.accelerator.no_sync(self.loss_module) if waits else nullcontext():
                losses = self.loss_module(send_to_device(batch, self.accelerator.device), noise)
                self.accelerator.backward(losses["loss"] / len(parts))
            for name, value in losses.items():
                part = value.detach().float() / len(parts)
                totals[name] = totals[name] + part if name in totals else part
        means = self.accelerator.reduce(torch.stack(list(totals.values())), "mean")  # (number of losses,)
        return dict(zip(totals, means.tolist()))

    def _demand_finite(self, step: int, measures: dict[str, float], names: Iterable[str], untouched: str = "") -> None:
        """Stop with a sentence where a number is not finite. `untouched` says what the step has left as it was."""
        bad = [name for name in names if not math.isfinite(measures[name])]
        if not bad:
            return
        numbers = ", ".join(f"{name} = {value:.4g}" for name, value in measures.items())
        first = self.settings.first_sample + step * self.settings.batch_size
        kept = checkpoint.files(self.folder / "checkpoints")
        safe = f"The last good checkpoint is {kept[-1]}" if kept else "There is no checkpoint yet"
        raise TrainingError(
            f"Step {step} of {self.recipe.name}: {' and '.join(bad)} not finite ({numbers}), on samples {first} to "
            f"{first + self.settings.batch_size - 1}. {untouched}{safe}. Every step would be the same again: "
            f"{self.advice}."
        )

    def _is_due(self, done: int, every: int) -> bool:
        return done == self.settings.steps or (every > 0 and done % every == 0)

    @contextmanager
    def _finished_model(self):
        """The model as it would be exported now: with the running mean, in evaluation mode, without gradients."""
        with self.ema.applied_to(self.model), torch.no_grad():
            self.model.eval()
            yield self.model
            self.model.train()

    def _say(self, sentence: str) -> None:
        if self.is_main:
            print(sentence, file=sys.stderr)


class LossModule(torch.nn.Module):
    """A model and its loss as one module, so that several processes share gradients whatever the loss calls.

    Data-parallel wrappers act in `forward` alone; a loss may call `model.encode` or anything else inside this one.
    """

    def __init__(self, model: torch.nn.Module, compute_loss):
        super().__init__()
        self.model, self.compute_loss = model, compute_loss

    def forward(self, batch: Any, noise: KeyedNoise) -> dict[str, torch.Tensor]:
        """The loss of this part of the batch, and what is logged beside it: scalar tensors."""
        return self.compute_loss(self.model, batch, noise)


def _accelerator(preset: str, precision: str) -> Accelerator:
    """
    Raises:
        TrainingError: the preset is "gpu" and there is none.
    """
    if preset == "gpu" and not torch.accelerator.is_available():
        raise TrainingError("The preset is gpu, but torch sees no accelerator here. Use --preset cpu.")
    AcceleratorState._reset_state()  # a second training in this process may have another precision
    return Accelerator(cpu=preset != "gpu", mixed_precision={"fp32": "no", "bf16": "bf16"}[precision])
