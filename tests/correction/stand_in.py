"""A stand-in for sen2cor, in tests only: a script that behaves in the real one's known ways.

It is not sen2cor: its product was made before by the tests. What it prints, that it refuses a
product without AUX_DATA and HTML, that before 2.8 it writes beside what it is given, and that it
stumbles over what an earlier run left, is as users of the real one report.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benforge.scenes.safe_write import write_safe
from tests.correction.products import about, ground

SCRIPT = """#!{python}
import os, shutil, subprocess, sys, time
from pathlib import Path

VERSION, MODE, TEMPLATE = {version!r}, {mode!r}, Path({template!r})
say = lambda line: print(line, flush=True)

if "--help" in sys.argv:
    say("usage: L2A_Process [-h] input_dir")
    say(f"Sentinel-2 Level 2A Processor (Sen2Cor). Version: {{VERSION}}, created: 2019.02.20")
    sys.exit(0)

words = sys.argv[1:]
out = None
if "--output_dir" in words:
    if VERSION.startswith("2.5"):
        say("L2A_Process: error: unrecognized arguments: --output_dir")
        sys.exit(2)
    place = words.index("--output_dir")
    out = Path(words[place + 1])
    del words[place : place + 2]
[given] = map(Path, words)
out = out or given.parent
say(f"Sentinel-2 Level 2A Processor (Sen2Cor). Version: {{VERSION}} started ...")
granule = next(given.glob("GRANULE/*/"))
needed = [given / "AUX_DATA", given / "HTML", granule / "AUX_DATA", granule / "QI_DATA"]
if MODE == "damaged product" or not all(folder.is_dir() for folder in needed):
    say("[CRITICAL]  L2A_Config: 3181   Error in creating L2A User Product")
    sys.exit(1)
if list(out.glob("*_MSIL2A_*")):
    say("[CRITICAL]  L2A_Config: 2944   L2A product exists already in this folder")
    sys.exit(1)
say("Progress[%]: 6.18 : PID-584932, L2A_AtmCorr: end of interpolation LUTs, elapsed time[s]: 0.5")
if MODE == "hang in silence":
    (TEMPLATE.parent / "pids").write_text(str(os.getpid()))
    os.close(1), os.close(2)
    time.sleep(600)
if MODE == "damages bands":
    for band in given.rglob("*.jp2"):
        with band.open("ab") as file:
            file.write(b"more")
if MODE == "hang":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (TEMPLATE.parent / "pids").write_text(f"{{os.getpid()}} {{child.pid}}")
    time.sleep(600)
if MODE == "slow":
    for percent in range(10, 90, 10):
        time.sleep(0.3)
        say(f"Progress[%]: {{percent}}.0 : PID-1, L2A_AtmCorr: elapsed")
if MODE == "silent":
    sys.exit(0)
if MODE == "crash":
    os.kill(os.getpid(), 9)
if MODE == "error":
    say("[ERROR] L2A_AtmCorr: 811   Failed to allocate memory for the LUTs")
    say("Progress[%]: 100.00 : Application terminated with errors.")
    sys.exit(1)
made = out / TEMPLATE.name
shutil.copytree(TEMPLATE, made)
(given / "INSPIRE.xml").write_text("the real one writes where it reads")
if MODE == "half":
    next(made.rglob("*_B02_10m.jp2")).unlink()
    say("[ERROR] L2A_Tables: 12   could not write B02")
if MODE == "no 60 m":
    shutil.rmtree(next(made.glob("GRANULE/*/IMG_DATA/R60m")))
say("Progress[%]: 100.00 : Application terminated successfully.")
"""


def write_stand_in(folder: Path, mode: str = "good", version: str = "2.8.0") -> Path:
    """The script `folder/bin/L2A_Process`, and the product that it gives out.

    Args:
        folder: made if missing.
        mode: how it behaves: "good", "slow", "hang", "silent", "crash", "error", "half",
            "no 60 m", "damaged product", "hang in silence", "damages bands".
        version: that it tells.
    """
    product = about("L2A", baseline="99.99", simulated_by=None)
    classes = np.full(product.grid.resized(20).shape, 4, np.uint8)
    bands = {name: (pixels * 10_000).astype(np.uint16) for name, pixels in ground().items()}
    for name, pixels in bands.items():
        size = product.sensor.band(name).pixel_size
        pixels[: 120 // size, : 120 // size] = 0
    template = write_safe(folder, product, bands, classes)
    program = folder / "bin" / "L2A_Process"
    program.parent.mkdir()
    text = SCRIPT.format(python=sys.executable, version=version, mode=mode, template=str(template))
    program.write_text(text)
    program.chmod(0o755)
    return program
