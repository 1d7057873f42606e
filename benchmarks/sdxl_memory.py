"""What training at SDXL's size keeps in memory, without activations: `python benchmarks/sdxl_memory.py`.

Counted from the parts' parameters on the meta device, at so many bytes each:

- frozen, bfloat16: 2;
- learning: 4 for the weight, 4 for its gradient, 4 for the averaged weight, and 8 for AdamW's moments or 2 in
  8 bits; with several GPUs each keeps all of it (DDP).
"""

import torch

from hifi_portrait.models import build

FROZEN = ("unet", "text_encoder", "text_encoder_2", "vae")
LEARNING = {
    "all of HiFi": ("hifi_net", "face_encoder", "face_refiner", "face_attention"),
    "face networks, HiFi-Net frozen": ("face_encoder", "face_refiner", "face_attention"),
    "refiner and face attention alone": ("face_refiner", "face_attention"),
}
HIFI = LEARNING["all of HiFi"]


def main() -> None:
    with torch.device("meta"):
        parts = build("sdxl", [*FROZEN, *HIFI])
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
    print("| part | million parameters |\n| --- | --- |")
    for name, number in count.items():
        print(f"| {name} | {number / 1e6:.0f} |")
    print("\n| what learns | million | GB with AdamW | GB with 8-bit AdamW |\n| --- | --- | --- | --- |")
    for words, names in LEARNING.items():
        learning = sum(count[name] for name in names)
        frozen = sum(count.values()) - learning
        sizes = [(2 * frozen + (12 + moments) * learning) / 1e9 for moments in (8, 2)]
        print(f"| {words} | {learning / 1e6:.0f} | {sizes[0]:.1f} | {sizes[1]:.1f} |")


if __name__ == "__main__":
    main()
