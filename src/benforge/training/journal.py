"""What is written of a training, epoch by epoch: lines of JSON, and TensorBoard's events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from benforge.core.files import decoding, storage_errors, write_atomic
from benforge.errors import InputError

LOG = "log.jsonl"

_ADVICE = "Remove it: the run's learning curve is lost, nothing else"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch.

    Args:
        epoch: from 1.
        train_loss: mean over patches and labels, while weights changed.
        train_f1: sample F1 likewise.
        rate: learning rate at its end.
        patches_per_second: of training.
        waiting: share of the time spent waiting for patches.
        seconds: of training.
        validation: loss and sample figures by name; None where it was not looked at.
        kept: whether the checkpoint holds its weights.
    """

    epoch: int
    train_loss: float
    train_f1: float
    rate: float
    patches_per_second: float
    waiting: float
    seconds: float
    validation: dict[str, float] | None = None
    kept: bool = False


def read_log(run: Path) -> list[Line]:
    """The epochs of a run; none where it has no log.

    Raises:
        InputError: a line is damaged.
    """
    path = run / LOG
    if not path.is_file():
        return []
    with decoding(path, do=_ADVICE, what="the log cannot be read"):
        return msgspec.json.Decoder(Line).decode_lines(path.read_bytes())


class Journal:
    """Writes the log of a run; without a folder, nothing.

    Args:
        run: the folder.
        tensorboard: whether event files are written too.

    Raises:
        InputError: TensorBoard is wanted and not installed.
    """

    def __init__(self, run: Path | None, *, tensorboard: bool = False) -> None:
        self._run = run
        self._events = _open_events(run) if run and tensorboard else None

    def begin(self, epoch: int) -> None:
        """Forget lines of epochs that are trained again: those from `epoch`, counted from 0."""
        if self._run is None:
            return
        lines = [line for line in read_log(self._run) if line.epoch <= epoch]
        text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        write_atomic(self._run / LOG, text)

    def write(self, line: Line) -> None:
        """Add an epoch."""
        if self._run is None:
            return
        with storage_errors(self._run / LOG), (self._run / LOG).open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
        if self._events is not None:
            flat = msgspec.to_builtins(line)
            for name, value in {**flat, **(line.validation or {})}.items():
                if isinstance(value, float):
                    kind = "validation" if name in (line.validation or {}) else "train"
                    self._events.add_scalar(f"{kind}/{name}", value, line.epoch)
            self._events.flush()


def _open_events(run: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError(
            "TensorBoard is not installed", do="pip install 'benforge[tensorboard]'"
        ) from error
    return SummaryWriter(str(run / "tensorboard"))
