"""The model card: what a stranger must know before using a model."""

from __future__ import annotations

from benforge.core.contract import Contract
from benforge.evaluation.evaluate import Evaluation


def write_card(contract: Contract, figures: Evaluation | None, *, onnx: bool) -> str:
    """The text of a card in Markdown, with the front matter that model hubs read."""
    parts = [
        _front(contract),
        _head(contract),
        _inputs(contract),
        _use(onnx),
        _figures(contract, figures),
        _origin(contract),
    ]
    return "\n".join(parts)


def _front(contract: Contract) -> str:
    tags = ["remote-sensing", "sentinel-2", "bigearthnet", "multi-label-classification", "benforge"]
    lines = ["---", "library_name: benforge", "tags:", *(f"- {tag}" for tag in tags)]
    if contract.simulated:
        lines.append("- simulated-data")
    return "\n".join([*lines, "---", ""])


def _head(contract: Contract) -> str:
    simulated = " Trained on **simulated** patches: of no use on real ones." * contract.simulated
    return f"""# {contract.title}, {len(contract.classes)} classes of {contract.nomenclature}

Multi-label land-cover classes of Sentinel-2 patches of {contract.patch_pixels} × \
{contract.patch_pixels} pixels of 10 m.{simulated}
"""


def _inputs(contract: Contract) -> str:
    norm = contract.normalisation
    rows = [
        f"| {i} | {band} | {mean:.2f} | {std:.2f} |"
        for i, (band, mean, std) in enumerate(zip(contract.bands, norm.mean, norm.std, strict=True))
    ]
    bounds = (
        f" Numbers are first held between {norm.low:g} and {norm.high:g}."
        if norm.low is not None and norm.high is not None
        else ""
    )
    kernel = (
        "Bands stay at their own pixel sizes."
        if contract.native
        else f"20 and 60 m bands are brought to 10 m by the kernel `{contract.kernel}` "
        "(half-pixel centres, pixels at the edge repeated)."
    )
    return f"""## What it takes

Surface reflectance × {contract.quantification:,}, offset {contract.offset} (from processing \
baseline 04.00 on, products carry an offset of 1,000, which must be taken off first).{bounds} \
{kernel} Normalisation ({norm.source}), in this order:

| | band | mean | standard deviation |
| --- | --- | --- | --- |
{chr(10).join(rows)}

Scores are independent probabilities, one a class, in this order: {", ".join(contract.classes)}.
"""


def _use(onnx: bool) -> str:
    text = """## Use

```
ben predict model.safetensors ARCHIVE --split NAME --part test --out predictions.parquet
ben evaluate predictions.parquet
```
"""
    if onnx:
        text += """
`model.onnx` holds normalisation, interpolation and sigmoid too: it takes stored numbers as
float32, one input a pixel size (`r10m`, `r20m`, `r60m`, those that its bands need), all bands of
that size, and gives `scores`.
"""
    return text


def _figures(contract: Contract, figures: Evaluation | None) -> str:
    if figures is None:
        return "## Figures\n\nNone were given.\n"
    sample = figures.sample
    where = f"{figures.part} of {figures.split}" if figures.split else "all patches"
    simulated = ", simulated" if figures.simulated else ""
    seen = (
        f"**{figures.trained_on:,} of these patches were trained on**: the figures say little of "
        "patches that were not.\n\n"
        if figures.trained_on
        else ""
    )
    return f"""## Figures

{seen}{figures.patches:,} patches, {where}, of {figures.archive or "an archive"}{simulated}; \
threshold {figures.threshold} ({figures.threshold_from}). Means over patches, as in the paper of \
2019:

| P % | R % | F1 | F2 | micro F1 | macro F1 |
| --- | --- | --- | --- | --- | --- |
| {100 * sample.precision:.2f} | {100 * sample.recall:.2f} | {sample.f1:.4f} | {sample.f2:.4f} | \
{figures.micro.f1:.4f} | {figures.macro.f1:.4f} |
"""


def _origin(contract: Contract) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in contract.versions.items())
    weights = f"\nWeights that were not trained here: {contract.weights}.\n" * bool(
        contract.weights
    )
    return f"""## Where it comes from

Archive {contract.archive}, split {contract.split} (SHA-256 {contract.split_digest}), epoch \
{contract.epoch} of {contract.recipe.get("epochs", "?")}, seed {contract.recipe.get("seed", "?")}. \
Made with {versions}. `model.json` holds the whole contract and recipe.
{weights}"""
