"""The page: its numbers, what it says is simulated, what it says is missing, what it refuses."""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
from html import unescape
from pathlib import Path

import pytest

from benforge.cli.main import run
from benforge.errors import InputError, MissingError
from benforge.evaluation.compare import compare
from benforge.evaluation.evaluate import evaluate
from benforge.evaluation.files import read_predictions
from benforge.experiments.plan import NOTE, PREDICTIONS, run_folder
from benforge.reports import part
from benforge.reports.folder import Folder, read_folder
from benforge.reports.measured import Results
from benforge.reports.paper import load_paper
from benforge.reports.provenance import facts_sheet
from benforge.reports.report import make_sections, write_report
from benforge.training.journal import LOG
from tests.reports.conftest import RESAMPLES
from tests.reports.made import made_experiment, write_experiment


def text_of(page: str) -> str:
    """What is read, without tags."""
    body = re.sub(r"<(style|svg).*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def group(page: str, labels: str, method: str) -> str:
    """The lines of one method in Table 4."""
    tables = page.split('class="grid"')
    table = next(t for t in tables[1:] if labels in t.partition("</caption>")[0])
    bodies = [text_of(body) for body in table.split("<tbody")[1:]]
    return next(body for body in bodies if f"> {method} " in body)


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


@pytest.mark.parametrize("method", ["inception-v2", "scnn-rgb", "scnn-all"])
def test_table_4_shows_our_figures_beside_those_of_the_paper(whole: Path, page: str, method: str):
    title = {"inception-v2": "Inception-v2 (random weights)", "scnn-rgb": "S-CNN-RGB"}
    shown = group(page, "43 classes", title.get(method, "S-CNN-All"))
    files = [read_predictions(run_folder(whole, "43", method, s) / PREDICTIONS) for s in (1, 2)]
    seeds = [evaluate(file).sample for file in files]
    f1 = sum(one.f1 for one in seeds) / 2
    precision = sum(one.precision for one in seeds) / 2
    assert f"here, mean of 2 seeds {100 * precision:.2f} " in shown
    assert f" {f1:.4f} " in shown
    low, high = sorted(one.f1 for one in seeds)
    assert f" {low:.4f} to {high:.4f} " in shown
    names = {"inception-v2": "Inception-v2", "scnn-rgb": "S-CNN-RGB", "scnn-all": "S-CNN-All"}
    paper = load_paper().methods[names[method]]
    assert f"paper (2019) {100 * paper['precision']:.2f}" in shown
    assert f"{f1 - paper['f1']:+.4f}".replace("-", "−") in shown


def test_the_paper_stands_beside_its_own_labels_alone(page: str):
    assert "paper (2019)" in group(page, "43 classes", "S-CNN-All")
    assert "paper (2019)" not in group(page, "level 1", "S-CNN-All")


def test_the_paper_is_printed_as_it_was():
    paper = load_paper().methods
    rows = [
        [f"{100 * m['precision']:.2f}", f"{100 * m['recall']:.2f}", f"{m['f1']:.4f}", m["f2"]]
        for m in paper.values()
    ]
    assert rows == [
        ["48.23", "56.79", "0.4988", 0.5301],
        ["65.06", "75.57", "0.6759", 0.7139],
        ["69.93", "77.10", "0.7098", 0.7384],
    ]


def test_baselines_stand_below_the_rule(page: str):
    table = page.split('class="grid"')[1].partition("</table>")[0]
    above, _, below = table.partition('<tbody class="below">')
    assert "S-CNN-All" in above
    assert "Class prior" not in above
    assert below.count("not in the paper") == 2


def test_simulated_is_said_of_all(page: str, folder: Folder, results: Results, monkeypatch):
    assert "<title>Simulated" in page
    captions = re.findall(r"<caption>.*?</caption>", page, re.DOTALL)
    assert len(captions) > 15
    assert all("Simulated archive made-up" in caption for caption in captions)
    labels = re.findall(r'<svg [^>]*aria-label="([^"]*)"', page)
    assert labels
    assert all("Simulated archive made-up" in label for label in labels)
    pictures = re.findall(r'<img [^>]*alt="([^"]*)"', page)
    assert len(pictures) == 3
    assert all("Simulated" in picture for picture in pictures)
    written: list[str] = []
    svg = part.as_svg
    monkeypatch.setattr(
        part, "as_svg", lambda f: written.append(" ".join(t.get_text() for t in f.texts)) or svg(f)
    )
    make_sections(folder, results)
    assert len(written) == len(labels)
    assert all("Simulated archive made-up" in " ".join(text.split()) for text in written)


def test_what_is_not_simulated_is_not_called_so(tmp_path: Path):
    plan = made_experiment(simulated=False, labels=["level1"], seeds=1)
    out = write_experiment(tmp_path / "e", plan)
    write_report(out, tmp_path / "report.html", resamples=RESAMPLES)
    page = (tmp_path / "report.html").read_text()
    assert "simulated" not in text_of(page).lower()
    assert "here, 1 seed" in page


def test_the_page_asks_for_nothing(page: str):
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert "url(http" not in page
    assert "@import" not in page


def test_every_link_leads_somewhere_on_the_page(page: str):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'href="#([^"]+)"', page):
        assert target in ids


def test_figures_fit_any_width(page: str):
    for figure in re.findall(r"<figure .*?</figure>", page, re.DOTALL):
        assert 'class="scroll"' not in figure
        assert not re.search(r'<svg [^>]*\bwidth="', figure)


def test_significance_is_told_in_words_and_numbers(page: str, results: Results):
    said = text_of(page)
    versus = results.labels[0].versus[1]
    assert f"S-CNN-All has an F1 {versus.difference:.4f} higher than S-CNN-RGB" in said
    assert "randomisation of tiles" in said
    assert "McNemar's test" in said


def test_so_few_tiles_that_no_difference_can_be_sure(page: str):
    # 6 tiles have 2^5 ways to be swapped, and Holm takes three times 1 / 32 for three pairs
    assert "randomisation of tiles (of so few none below 0.0938 can come out)" in text_of(page)


def test_wrong_and_missed_labels_are_named_without_colour(page: str):
    assert page.count('class="patch"') == 3
    assert "(wrong)" in page
    assert "(missed)" in page
    assert "✗" in page


def test_absent_classes_are_named(page: str):
    said = text_of(page)
    assert "In no training patch (1 of 43): Discontinuous urban fabric." in said
    assert "In no test patch (1 of 43): Continuous urban fabric." in said


def test_the_sensitivity_is_that_of_compare(whole: Path, page: str):
    a, b = (
        read_predictions(run_folder(whole, "43", name, 1) / PREDICTIONS)
        for name in ("no-batch-norm", "scnn-all")
    )
    said = text_of(page)
    assert f"batch norm: no, not yes {compare(a, b, resamples=1).a.value:.4f}" in said


def test_without_variants_it_says_how_to_train_them(tmp_path: Path):
    plan = made_experiment(labels=["level1"], seeds=1)
    out = write_experiment(tmp_path / "e", type(plan)(**{**_fields(plan), "variants": ()}))
    write_report(out, tmp_path / "report.html", resamples=RESAMPLES)
    assert "--sensitivity" in (tmp_path / "report.html").read_text()


def _fields(plan: object) -> dict[str, object]:
    return {name: getattr(plan, name) for name in plan.__struct_fields__}


def test_leakage_is_told(page: str):
    said = text_of(page)
    assert "Of 48 test footprints, 12 (25.0 %) lie on ground that training has seen" in said


def test_provenance_names_files_and_speed(whole: Path, page: str):
    for file in whole.rglob(PREDICTIONS):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in page
    assert "scnn-all, labels 43, seed 2 3 30.0 100 25.0 %" in text_of(page)
    assert "torch 9.9" in page


def test_an_experiment_under_way_is_told_as_far_as_it_is(copy: Path, tmp_path: Path):
    shutil.rmtree(run_folder(copy, "43", "scnn-all", 2))
    (run_folder(copy, "43", "scnn-rgb", 1) / PREDICTIONS).unlink()
    shutil.rmtree(copy / "runs" / "level1")
    for name in ("leakage", "classes", "examples"):
        (copy / f"{name}.json").unlink()
    summary = write_report(copy, tmp_path / "r.html", resamples=RESAMPLES)
    said = text_of((tmp_path / "r.html").read_text())
    assert "scnn-all, labels 43, seed 2: not begun" in summary.missing
    assert "scnn-rgb, labels 43, seed 1: 3 epochs trained, no predictions" in summary.missing
    assert all(line in said for line in summary.missing)
    assert "here, 1 seed" in said
    assert "No predictions yet." in said
    assert "Not told yet" in said


def test_a_method_without_a_run_does_not_bear_the_name_of_the_paper(copy: Path):
    shutil.rmtree(copy / "runs" / "43" / "inception-v2")
    shutil.rmtree(copy / "runs" / "level1")
    facts = facts_sheet(read_folder(copy)).table.to_pylist()
    methods = next(row for row in facts if row["fact"] == "methods")
    assert methods["of_this_experiment"] == "inception-v2, S-CNN-RGB, S-CNN-All"


def test_an_experiment_that_has_just_begun(tmp_path: Path, whole: Path):
    (tmp_path / "e").mkdir()
    shutil.copy(whole / NOTE, tmp_path / "e")
    summary = write_report(tmp_path / "e", tmp_path / "r.html", resamples=RESAMPLES)
    assert len(summary.missing) == 12 + 2 + 4 + 3
    assert "No predictions yet." in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize(
    "name",
    [
        f"runs/43/scnn-rgb/seed-1/{PREDICTIONS}",
        f"runs/43/prior/seed-1/{PREDICTIONS}",
        f"runs/43/scnn-rgb/seed-1/{LOG}",
        "runs/43/scnn-rgb/seed-1/model.safetensors",
        "runs/43/scnn-rgb/seed-1/model.json",
        "runs/43/scnn-rgb/seed-1/run.json",
        "leakage.json",
        "classes.json",
        "examples.json",
        NOTE,
    ],
)
def test_a_damaged_file_is_named(copy: Path, tmp_path: Path, name: str):
    file = copy / name
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(InputError) as error:
        write_report(copy, tmp_path / "r.html", resamples=RESAMPLES)
    assert name.removesuffix("/model.safetensors") in str(error.value)
    assert error.value.do
    assert not (tmp_path / "r.html").exists()


def test_a_folder_without_an_experiment(tmp_path: Path):
    with pytest.raises(MissingError, match="holds no experiment"):
        write_report(tmp_path, tmp_path / "r.html")


def test_the_page_is_no_folder(whole: Path, tmp_path: Path):
    with pytest.raises(InputError, match="is a folder"):
        write_report(whole, tmp_path)


def test_the_command_writes_the_same_page_and_tables(
    whole: Path, page: str, tmp_path: Path, capsys
):
    out, tables = tmp_path / "new" / "report.html", tmp_path / "tables"
    words = ["report", str(whole), "--out", str(out), "--tables", str(tables)]
    assert run([*words, "--resamples", str(RESAMPLES), "--json"]) == 0
    assert out.read_text() == page
    assert '"simulated": true' in capsys.readouterr().out
    names = {f"{n}-{k}" for n in ("table-4", "per-class") for k in ("43", "level1")}
    endings = ("csv", "md", "tex")
    assert {p.name for p in tables.iterdir()} == {f"{n}.{e}" for n in names for e in endings}
    assert {p.name for p in tmp_path.iterdir()} == {"new", "tables"}
    with (tables / "table-4-43.csv").open() as file:
        rows = list(csv.DictReader(file))
    here = next(row for row in rows if (row["method"], row["what"]) == ("S-CNN-All", "here"))
    files = [read_predictions(run_folder(whole, "43", "scnn-all", s) / PREDICTIONS) for s in (1, 2)]
    expected = sum(evaluate(one).sample.f1 for one in files) / 2
    assert all(row["simulated_archive"] == "true" for row in rows)
    assert float(here["F1"]) == pytest.approx(expected, abs=1e-15)
    for name in ("table-4-43.md", "per-class-43.tex"):
        assert "Simulated archive made-up" in (tables / name).read_text()


def test_the_command_ends_in_one_line(tmp_path: Path, capsys):
    assert run(["report", str(tmp_path), "--out", str(tmp_path / "r.html")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "holds no experiment" in error


def test_all_that_is_planned_is_there(whole: Path):
    found = read_folder(whole)
    assert len(found.runs) == 12
    assert [run.planned.method.name for run in found.variants] == ["no-batch-norm", "conv-dropout"]
    assert not found.missing()


@pytest.mark.slow
def test_from_an_archive_to_a_page(imported_sample, tmp_path: Path):
    archive = Path(shutil.copytree(imported_sample.root, tmp_path / "archive"))
    assert run(["split", str(archive), "--rule", "paper-random"]) == 0
    words = ["experiment", "paper", str(archive), "--out", str(tmp_path / "e")]
    options = [
        "--labels",
        "level1",
        "--seeds",
        "1",
        "--epochs",
        "1",
        "--set",
        "train.batch_size=16",
    ]
    assert run([*words, *options]) == 0
    assert run(["report", str(tmp_path / "e"), "--out", str(tmp_path / "r.html")]) == 0
    page = (tmp_path / "r.html").read_text()
    assert "Not all is there yet" not in page
    assert page.count('class="patch"') == 8
    assert "Inception-v2 (random weights)" in page
    assert "simulated" not in text_of(page).lower()
