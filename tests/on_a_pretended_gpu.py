"""What happens on a pretended GPU, in a process of its own; prints JSON.

python tests/on_a_pretended_gpu.py PREPARED BASE RUN
"""

from __future__ import annotations

import json
import os
import sys

import pretended_gpu

DEVICE = pretended_gpu.NAME


def refusals():
    """Messages of operations across two devices and of two precisions."""
    import torch

    there, here = torch.ones(2, 2, device=DEVICE), torch.ones(2, 2)
    return [
        _message(lambda: there + here),
        _message(lambda: there @ here),
        _message(lambda: there @ there.half()),
        _message(lambda: torch.nn.functional.linear(there, torch.ones(2, 2, device=DEVICE).bfloat16())),
    ]


def noted():
    """How many waits some operations count."""
    import torch

    values = torch.arange(6.0, device=DEVICE)
    acts = {
        "item": lambda: values.sum().item(),
        "cpu": lambda: values.cpu(),
        "mask": lambda: values[values > 2],
        "places": lambda: values[torch.tensor([0, 2])],
        "copy to it": lambda: values.copy_(torch.ones(6)),
    }
    counts = {}
    for name, act in acts.items():
        pretended_gpu.waits.clear()
        act()
        counts[name] = len(pretended_gpu.waits)
    return counts


def _message(act):
    try:
        act()
    except RuntimeError as error:
        return str(error)
    return ""


def draw():
    """Drawings on both devices, and the waits of the denoising loop."""
    import numpy as np
    import torch

    from tiny_pipelines import a_pipeline, an_identity
    from tiny_pipelines import draw as draw_picture

    pipe, person = a_pipeline(), an_identity()
    cases = {
        "plain": {},
        "guidance": {"guidance_scale": 4.0, "face_guidance_scale": 2.0, "hifi_every": 2},
        "from the warp": {"warp_strength": 0.6, "num_inference_steps": 5, "num_images_per_prompt": 2},
    }
    expected = {name: draw_picture(pipe, person, **settings) for name, settings in cases.items()}
    result = {"refusals": refusals(), "noted": noted()}

    def count(pipe, step, timestep, tensors):
        counts.append(len(pretended_gpu.waits))
        return tensors

    pipe.to(DEVICE)
    for name, settings in cases.items():
        counts = []
        pretended_gpu.waits.clear()
        drawn = draw_picture(pipe, person, callback_on_step_end=count, **settings)
        result[name] = {
            "apart": float(np.abs(drawn - expected[name]).max()),
            "steps": len(counts),
            "waits": [wait.file for wait in pretended_gpu.waits[: counts[-1]] if wait.ours],
            "loop": [wait.file for wait in pretended_gpu.waits[counts[0] : counts[-1]] if wait.ours],
            "schedulers": len([wait for wait in pretended_gpu.waits if not wait.ours]),
        }
    half = a_pipeline().to(DEVICE, torch.bfloat16)
    result["half"] = bool(np.isfinite(draw_picture(half, person)).all())
    offloaded = a_pipeline()
    offloaded.enable_model_cpu_offload(device=torch.device(DEVICE, 0))
    result["offload"] = float(np.abs(draw_picture(offloaded, person) - expected["plain"]).max())
    return result


def train(prepared, base, run):
    """Train the portrait model with its critic, and count the waits of each step."""
    os.environ["ACCELERATE_TORCH_DEVICE"] = DEVICE
    import numpy as np
    import torch

    from hifi_portrait.training.engine.config import TrainerConfig
    from hifi_portrait.training.engine.trainer import Trainer
    from hifi_portrait.training.objectives.hifi.config import FACE_PARTS, HiFiConfig, HiFiLosses
    from hifi_portrait.training.objectives.hifi.objective import HiFiObjective

    config = HiFiConfig(
        size="tiny",
        init_from=(base,),
        trainable=[*FACE_PARTS, "critic"],
        warp_starts=0.5,
        losses=HiFiLosses(adversary=0.5),
    )
    objective = HiFiObjective(config, prepared)
    arrays = objective.data.prepared.arrays
    arrays["sitting"] = np.array(arrays["identity"], np.int64)  # photos of one sitting: starts from the warp
    pretended_gpu.install()  # not before: transformers would leave position ids of loaded models empty
    settings = TrainerConfig(
        batch_size=2, max_steps=3, precision="no", learning_rate=1e-3, log_steps=1, workers=0
    )
    trainer = Trainer(objective, settings, run)
    before = {name: value.detach().cpu().clone() for name, value in objective.named_parameters()}
    batches, each, losses = trainer._batches(), [], []
    for trainer.step in range(settings.max_steps):
        pretended_gpu.waits.clear()
        losses.append(trainer._train_step(batches)["loss"])
        each.append([wait.file for wait in pretended_gpu.waits])
    moved = [not torch.equal(value.detach().cpu(), before[n]) for n, value in objective.named_parameters()]
    devices = sorted({value.device.type for value in objective.parameters()})
    return {"waits": each, "learned": sum(moved), "devices": devices, "losses": losses}


if __name__ == "__main__":
    trained = train(*sys.argv[1:])  # which installs the device
    print(json.dumps({"train": trained, "draw": draw()}))
