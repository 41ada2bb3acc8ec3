"""Half precision where the hardware computes it faster."""

from contextlib import AbstractContextManager
from enum import StrEnum

import torch


class Precision(StrEnum):
    """``auto`` takes bfloat16 where the processor has instructions for it."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware (AMX, AVX512-BF16, Ampere or newer)."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and bool(torch.cpu._is_avx512_bf16_supported())


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """The context a network runs in; the identity for float32."""
    half = precision is Precision.BFLOAT16 or (precision is Precision.AUTO and has_fast_bfloat16(device))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=half)
