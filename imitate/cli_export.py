"""Command line: `python -m imitate export RUN --onnx OUT.onnx`."""

from __future__ import annotations

from pathlib import Path

import tyro
from rich.console import Console
from rich.markup import escape


def export(run: tyro.conf.Positional[Path], /, *, onnx: Path) -> None:
    """Write a run's policy as an ONNX file: observations in, actions out, the normaliser inside, the contract as metadata.

    Before it is written, the file is run by onnxruntime and compared with torch.

    Args:
        run: Folder of the run.
        onnx: File to write (.onnx).
    """
    from imitate.export_onnx import export_onnx, require_onnx_path
    from imitate.policy_file import load_policy
    from imitate.runs import POLICY, open_run

    require_onnx_path(onnx)
    policy, contract = load_policy(open_run(run).folder / POLICY)
    done = export_onnx(policy, contract, onnx)
    Console().print(
        f"wrote {escape(str(onnx))}: {done.observations} observations, {done.actions} actions, {done.bytes / 1024:.0f} KiB, "
        f"opset {done.opset}; onnxruntime agrees with torch within {done.largest_difference:.1g}",
        highlight=False,
        soft_wrap=True,
    )
