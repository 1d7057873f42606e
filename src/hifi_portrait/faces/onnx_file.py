"""ONNX files of networks that read pictures, run by onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hifi_portrait.errors import ModelError, needs_extra


def open_onnx(file: Path, *, kind: str, extra: str) -> Any:
    """Open a network on the CPU, as an ``onnxruntime.InferenceSession``.

    Parameters
    ----------
    file
        The ONNX file.
    kind
        What it is for, as a message says it, such as "recogniser".
    extra
        The extra of this package that brings onnxruntime for it.

    Raises
    ------
    ModelError
        If there is no such file, or onnxruntime cannot read it.
    MissingExtraError
        If onnxruntime is not installed.
    """
    with needs_extra(extra):
        import onnxruntime
    if not file.is_file():
        raise ModelError(f"there is no {kind} {file}: give an ONNX file")
    try:
        return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes of errors have no common base but this
        raise ModelError(f"{file} is no ONNX network, or damaged: {error}") from error
