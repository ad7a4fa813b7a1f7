"""The page tells what its records hold, and nothing is measured to write it."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks import __main__ as command
from benchmarks import page, record, registry
from benchmarks.charts import color_of, draw
from benchmarks.measure import table
from benchmarks.record import Record, Watch, plain, read, take, write
from benchmarks.tables import parse_tables
from benchmarks.wanted import WANTED, answers

ROWS = [
    {"reader": "copy in memory", "patches/s": "40,000", "of one copy": "1.00"},
    {"reader": "benforge, none", "patches/s": "36,500", "of one copy": "0.91"},
    {"reader": "rasterio", "patches/s": "41", "of one copy": "0.001"},
]


def made(name: str = "search", **found: object) -> Record:
    return Record(
        name=name,
        size="full",
        measured="2026-11-26",
        machine="2 cores",
        versions={"numpy": "2.4.6"},
        seconds=61.4,
        load=0.2,
        others=0.01,
        markdown=table("Reads, warm", ROWS) + "\nA note.\n",
        found=found,
    )


def test_every_benchmark_is_found_without_a_list() -> None:
    found = registry.names()
    assert {"reads", "cold", "codecs", "build", "viewer_page"} <= set(found)
    assert not {"measure", "page", "readers", "tile"} & set(found)
    for name in found:
        text = (registry.FOLDER / f"{name}.py").read_text(encoding="utf-8")
        assert "\ndef run(size: str" in text
        assert "\nSIZES" in text


def test_a_module_with_run_and_report_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("made")
    exec(
        """
def run(size):
    return {("a", "b"): 1, "size": size}

def report(size):
    return "### " + run(size)["size"]
""",
        module.__dict__,
    )
    monkeypatch.setattr(record, "find", lambda name: module)
    found = take("made", "toy")
    assert found.markdown == "### toy"
    assert found.found == {"a, b": 1, "size": "toy"}
    assert found.seconds is not None
    assert found.load is not None
    assert found.others is not None


def test_a_record_is_what_was_written(tmp_path: Path) -> None:
    one = made(seconds={"a": 0.5})
    write(one, tmp_path)
    assert read(tmp_path) == {"search": one}


def test_what_another_machine_found_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = [
        {"model": "scnn-all", "stall": "1.5 %"},
        {"model": "scnn-all", "stall": "-0.3 %"},
        {"model": "resnet50", "stall": "9.0 %"},
    ]
    way = {"bands": 12, "type": "float32", "of copying": "0.61"}
    prepared = [way, {**way, "type": "bfloat16", "of copying": "0.9"}]
    found = {"device": "A card", "torch": "2.13", "trained": trained, "prepared": prepared}
    (tmp_path / "gpu.json").write_text(json.dumps(found))
    (tmp_path / "gpu.md").write_text("A table.\n")
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(record, "write", lambda one: write(one, tmp_path / "results"))
    words = ["gpu", "--found", str(tmp_path / "gpu.json"), "--markdown", str(tmp_path / "gpu.md")]
    monkeypatch.setattr(sys, "argv", ["record", *words])
    record.main()
    text = page.write(tmp_path, tmp_path / "results").read_text(encoding="utf-8")
    assert "## On a GPU" in text
    assert "on A card. torch 2.13." in text
    asked = {a.wanted.what: a.got for a in answers(read(tmp_path / "results"))}
    assert asked["S-CNN-All from the device, stall"] == 1.5
    assert 0.61 in asked.values()


def test_numbers_of_numpy_and_keys_of_several_parts_become_json() -> None:
    value = {("scnn", "fp32"): np.float32(0.5), 10: (np.int64(3), None), "path": Path("a")}
    assert json.loads(json.dumps(plain(value))) == {
        "scnn, fp32": 0.5,
        "10": [3, None],
        "path": "a",
    }


def test_work_of_others_is_told_from_our_own() -> None:
    busy = "import time; end = time.time() + 1\nwhile time.time() < end: pass"
    stranger = subprocess.Popen([sys.executable, "-c", busy])
    watch = Watch()
    stranger_of_ours = subprocess.run([sys.executable, "-c", busy], check=True)
    seconds, others = watch.stop()
    stranger.wait()
    assert stranger_of_ours.returncode == 0
    assert seconds >= 1
    assert others > 0.1


def test_tables_are_read_back_and_numbers_found() -> None:
    [found] = parse_tables("text\n\n" + table("Reads, warm", ROWS) + "\nmore\n")
    assert found.title == "Reads, warm"
    assert found.labels() == ["copy in memory", "benforge, none", "rasterio"]
    assert found.numbers("patches/s") == [40_000, 36_500, 41]
    assert found.numbers("reader") is None
    assert found.drawn() == (("patches/s",),)


def test_cells_with_units_and_remarks_are_numbers_and_blanks_are_not() -> None:
    rows = [
        {"band": "B01", "rms": "165 (+152)", "stall": "1.5 %", "left": "", "e": "3e-10"},
        {"band": "B02", "rms": "148 (+5)", "stall": "-6.0 %", "left": "1", "e": "5e-08"},
    ]
    [found] = parse_tables(table("Nearness", rows))
    assert found.numbers("rms") == [165, 148]
    assert found.numbers("stall") == [1.5, -6.0]
    assert found.numbers("left") is None
    assert found.numbers("e") == [3e-10, 5e-08]


def test_a_chart_shows_every_row_in_the_colour_of_its_role() -> None:
    [found] = parse_tables(table("Reads, warm", ROWS))
    [svg] = draw(found)
    colors = [color_of(label) for label in found.labels()]
    assert len(set(colors)) == 3
    assert all(color.encode() in svg for color in colors)
    assert next(draw(found)) == svg


def test_a_table_of_words_alone_is_not_drawn() -> None:
    [found] = parse_tables(table("Words", [{"a": "b", "c": "d"}, {"a": "e", "c": "f"}]))
    assert not list(draw(found))


def test_what_was_asked_for_is_met_or_not_or_unmeasured() -> None:
    asked = next(w for w in WANTED if w.benchmark == "search")
    for got, verdict in (0.04, "met"), (0.05, "met"), (0.06, "not met"):
        records = {"search": made(seconds={"the 10 nearest, cosine": got})}
        found = {answer.wanted: answer for answer in answers(records)}
        assert found[asked].verdict == verdict
        assert found[asked].got == got
        others = [answer.verdict for wanted, answer in found.items() if wanted is not asked]
        assert set(others) == {"unmeasured"}


def test_a_figure_of_another_size_says_so() -> None:
    records = {"mapping": replace(made("mapping", ratio=1.2), size="quarter")}
    assert "met at quarter size" in [answer.verdict for answer in answers(records)]


def test_a_benchmark_may_tell_its_own_figures() -> None:
    figure = {"what": "two workers", "got": 1.9, "wanted": 1.8}
    stall = {"what": "stall", "got": 3, "wanted": 2, "at_least": False, "unit": "%"}
    records = {"loader": made("loader", figures=[figure, stall])}
    *_, first, second = answers(records)
    assert (first.verdict, second.verdict) == ("met", "not met")


def test_the_page_tells_when_and_beside_what_load(tmp_path: Path) -> None:
    write(made("search", seconds={"the 10 nearest, cosine": 0.04}), tmp_path / "results")
    noisy = replace(made("reads"), load=8.1, others=1.9, note="Taken over.")
    write(noisy, tmp_path / "results")
    text = page.write(tmp_path, tmp_path / "results").read_text(encoding="utf-8")
    assert "| a query of 500,000 vectors | at most 0.05 s | 0.04 s | met |" in text
    assert "others kept 0.0 cores busy meanwhile: a quiet machine" in text
    assert "others kept 1.9 cores busy meanwhile: a busy machine" in text
    assert "Taken over." in text
    assert "## Build\n\nUnmeasured.\n" in text
    for target in re.findall(r"!\[.*?\]\((.*?)\)", text):
        assert (tmp_path / target).read_bytes().startswith(b"<?xml")
    assert page.write(tmp_path, tmp_path / "results").read_text(encoding="utf-8") == text


def test_the_committed_page_is_that_of_the_committed_records(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    for path in record.RESULTS.glob("*.json"):
        (results / path.name).write_bytes(path.read_bytes())
    made = page.write(tmp_path, results).read_text(encoding="utf-8")
    assert (registry.FOLDER / page.PAGE).read_text(encoding="utf-8") == made


def test_one_that_fails_does_not_keep_the_others_from_running(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []

    def fails_first(words: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        ran.append(words[3])
        return subprocess.CompletedProcess(words, returncode=len(ran) == 1)

    monkeypatch.setattr(command.subprocess, "run", fails_first)
    assert command.main(["reads", "search", "--size", "toy"]) == 1
    assert ran == ["reads", "search"]
    assert "Failed: reads" in capsys.readouterr().err


def test_an_unknown_name_is_refused_with_those_that_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        command.main(["speed"])
    assert "no benchmark is called speed; there are build, " in capsys.readouterr().err
