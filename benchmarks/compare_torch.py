# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The joint training step beside the same one of Hugging Face's modules in PyTorch.

    python benchmarks/compare_torch.py [--rounds 10]

Needs the `bench` extra. Both mask the batch, run generator and discriminator with shared
embeddings and dropout, predict gathered positions only, sample fakes, clip the gradients' norm and
apply Adam with decoupled weight decay. Each way runs in a separate process,
interleaved with the others.
"""

import importlib.util
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.options import positive_int  # noqa: E402
from benchmarks.pretraining_step import (  # noqa: E402
    SAME_LOSS,
    add_shape_options,
    make_batch,
    make_step,
    read_hparams,
)
from benchmarks.turns import Turns  # noqa: E402

CHOICES = {"precision": ("float32", "bfloat16"), "ways": ("eager", "compiled")}
OURS_ONLY = (
    *("electra_objective", "electric_objective", "uniform_generator", "two_tower_generator"),
    *("untied_generator_embeddings", "untied_generator", "generator_dropout", "masking"),
    *("mask_prob_end", "optimizer", "ema_decay", "disentangled_embeddings"),
)
"""Hyperparameters with which a step would be another one than torch's."""
MASK_ID = 103


def check_extra():
    """Raise a ValueError unless the `bench` extra is installed."""
    missing = [name for name in ("torch", "transformers") if not importlib.util.find_spec(name)]
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} cannot be imported; `pip install -e '.[bench]'` brings what "
            "this benchmark needs."
        )


def check_same_model(hparams):
    """Raise a ValueError for options of ours that the step in torch does not have."""
    from electra_tf.config import PretrainingConfig

    config = PretrainingConfig.from_hparams("benchmark", ".", hparams)
    plain = PretrainingConfig.from_hparams("benchmark", ".", {})
    changed = [name for name in OURS_ONLY if getattr(config, name) != getattr(plain, name)]
    if changed:
        raise ValueError(
            f"--hparams: {', '.join(changed)} cannot be compared; torch's step has the defaults."
        )
    if not config.num_warmup_steps:
        raise ValueError("--hparams: num_warmup_steps is expected to be more than 0, but is 0.")


def huggingface_config(encoder):
    """Hugging Face's configuration of an encoder of ours."""
    from transformers import ElectraConfig

    names = (
        "vocab_size embedding_size hidden_size num_hidden_layers num_attention_heads "
        "intermediate_size hidden_dropout_prob attention_probs_dropout_prob "
        "max_position_embeddings type_vocab_size hidden_act"
    )
    return ElectraConfig(**{name: getattr(encoder, name) for name in names.split()})


def make_losses(config):
    """A torch module: ids [B, L] -> the joint loss []."""
    import torch
    from torch.nn import functional
    from transformers import ElectraForMaskedLM, ElectraForPreTraining

    class Losses(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.generator = ElectraForMaskedLM(huggingface_config(config.generator_encoder))
            self.discriminator = ElectraForPreTraining(huggingface_config(config.encoder))
            torch.nn.init.zeros_(
                self.discriminator.discriminator_predictions.dense_prediction.weight
            )
            embeddings = self.discriminator.electra.embeddings
            self.generator.electra.embeddings = embeddings
            self.generator.generator_lm_head.weight = embeddings.word_embeddings.weight

        def forward(self, ids, mask):
            count = config.num_masked
            positions = torch.rand(ids.shape, device=ids.device).topk(count).indices  # [B, N]
            targets = ids.gather(1, positions)
            keep = torch.rand(targets.shape, device=ids.device) < 0.15
            masked = ids.scatter(1, positions, torch.where(keep, targets, MASK_ID))
            hidden = self.generator.electra(masked, attention_mask=mask).last_hidden_state
            index = positions[..., None].expand(-1, -1, hidden.shape[-1])
            hidden = self.generator.generator_predictions(hidden.gather(1, index))
            logits = self.generator.generator_lm_head(hidden).float()  # [B, N, V]
            mlm_loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
            with torch.no_grad():
                noise = torch.empty_like(logits).exponential_()
                fakes = (logits.softmax(-1) / noise).argmax(-1)  # Gumbel's trick
                corrupted = ids.scatter(1, positions, fakes)
            hidden = self.discriminator.electra(corrupted, attention_mask=mask).last_hidden_state
            found = self.discriminator.discriminator_predictions(hidden).float()
            rtd_loss = functional.binary_cross_entropy_with_logits(
                found, (corrupted != ids).float()
            )
            return config.gen_weight * mlm_loss + config.disc_weight * rtd_loss

    return Losses()


def make_torch_step(hparams, device, is_compiled, threads, steps=1):
    """Like `pretraining_step.make_step`."""
    import torch

    from electra_tf.config import PretrainingConfig

    config = PretrainingConfig.from_hparams("benchmark", ".", hparams)
    torch.set_num_threads(threads)
    place = {"cpu": "cpu", "gpu": "cuda"}[device]
    losses = make_losses(config).train().to(place)
    decayed = [p for p in losses.parameters() if p.dim() > 1]
    others = [p for p in losses.parameters() if p.dim() <= 1]
    parameters = [
        {"params": decayed, "weight_decay": config.weight_decay_rate},
        {"params": others, "weight_decay": 0.0},
    ]
    # From 0 upwards as in a warm-up: the first steps' losses are those of the initial weights.
    optimizer = torch.optim.AdamW(
        parameters, lr=config.learning_rate / config.num_warmup_steps, eps=1e-6, fused=True
    )
    forward = torch.compile(losses) if is_compiled else losses
    batch = make_batch(config)
    ids = torch.tensor(batch["input_ids"], dtype=torch.long, device=place)
    mask = torch.tensor(batch["input_mask"], dtype=torch.long, device=place)
    is_low = config.precision == "bfloat16"

    def train():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(place, dtype=torch.bfloat16, enabled=is_low):
            loss = forward(ids, mask)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(losses.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    def step():
        start = time.perf_counter()
        for _ in range(steps):
            loss = train()
        loss = float(loss)  # waits for the device
        if device == "gpu":
            torch.cuda.synchronize()
        found = {"seconds": (time.perf_counter() - start) / steps, "loss": loss}
        if device == "gpu":
            found["peak_bytes"] = torch.cuda.max_memory_allocated()
        return found

    return step


def measure(options):
    for name, given in (("precision", options.precision), ("ways", options.ways)):
        if not set(given.split(",")) <= set(CHOICES[name]):
            choices = ", ".join(CHOICES[name])
            raise ValueError(f"--{name} is expected to be of {choices}, but is {given!r}.")
    check_extra()
    makers = {}
    for precision in options.precision.split(","):
        hparams = read_hparams(options, precision)
        check_same_model(hparams)
        device, steps, threads = options.device, options.steps, options.threads
        makers[f"here {precision}"] = (make_step, hparams, device, steps, threads)
        for way in options.ways.split(","):
            makers[f"torch {way} {precision}"] = (
                make_torch_step,
                hparams,
                device,
                way == "compiled",
                threads,
                steps,
            )
    with Turns(makers) as turns:
        found = turns.run(options.rounds, warm_up=3)
    show(found, options)


def show(found, options):
    print(f"{options.batch_size} x {options.max_seq_length} tokens, on a {options.device}")
    print("way                      s/step  sequences/s  memory GiB     loss")
    for name, numbers in found.items():
        print(
            f"{name:23} {numbers['seconds']:7.3f} {options.batch_size / numbers['seconds']:12.1f} "
            f"{numbers['peak_bytes'] / 2**30:11.2f} {numbers['loss']:8.2f}"
        )
    losses = [numbers["loss"] for numbers in found.values()]
    if max(losses) > (1 + SAME_LOSS) * min(losses):
        sys.exit("The losses are not those of one model.")
    eager = found.get("torch eager float32")
    for precision in options.precision.split(","):
        here = found[f"here {precision}"]["seconds"]
        ways = (f"torch {way} {precision}" for way in options.ways.split(","))
        best = min(ways, key=lambda way: found[way]["seconds"])
        print(f"here {precision}: {found[best]['seconds'] / here:.2f} times as fast as {best}")
        if eager:
            ratio = eager["seconds"] / here
            print(f"here {precision}: {ratio:.2f} times as fast as torch eager float32")


def main():
    from electra_tf.cli import arguments

    parser = arguments.make_parser(__doc__.split("\n")[0])
    add_shape_options(parser)
    parser.add_argument("--precision", default=",".join(CHOICES["precision"]), help="one or both")
    parser.add_argument("--ways", default=",".join(CHOICES["ways"]), help="of torch, one or both")
    parser.add_argument("--steps", type=positive_int, default=1, help="per turn")
    parser.add_argument("--rounds", type=positive_int, default=10, help="turns; the median counts")
    arguments.run(measure, parser)


if __name__ == "__main__":
    main()
