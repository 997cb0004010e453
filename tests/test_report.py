"""The pages of a study as their readers meet them, in a browser without a network."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from pruning.tables import read_table
from workflow_copy import ABLATIONS, CELLS, METHODS, WorkflowCopy

PROGRAMS = ("chromium", "chromedriver")
"""as Debian's packages chromium and chromium-driver have them"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    found = [shutil.which(program) for program in PROGRAMS]
    if None in found:
        pytest.skip(f"no browser: {' and '.join(PROGRAMS)} are not both on the path")
    options = webdriver.ChromeOptions()
    options.binary_location = str(found[0])
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1300,1000"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('browser')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(found[1])))
    yield driver
    driver.quit()


def opened(browser: webdriver.Chrome, page: Path) -> webdriver.Chrome:
    """The browser with `page` in it, which has fetched nothing else and met no error."""
    browser.get(page.as_uri())
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in fetched if not name.startswith(("data:", "blob:"))] == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    return browser


def pictures(browser: webdriver.Chrome) -> list[str]:
    """The names of the pictures that can be seen."""
    script = "return arguments[0].complete && arguments[0].naturalWidth > 0 && arguments[0].offsetWidth > 300"
    found = browser.find_elements(By.CSS_SELECTOR, ".study figure img")
    return [str(image.get_attribute("alt")) for image in found if browser.execute_script(script, image)]


def texts(browser: webdriver.Chrome, selector: str) -> list[str]:
    """The words of elements, folded away or not."""
    return [str(e.get_attribute("textContent")).strip() for e in browser.find_elements(By.CSS_SELECTOR, selector)]


# ----------------------------------------------------------------------------------------------------------- the report


def check_report(browser: webdriver.Chrome, study: WorkflowCopy) -> None:
    """Every figure with a caption, and every number of every table, stands on the page that is open."""
    figures = {path.stem for path in study.folder.glob("results/figures/*.svg")}
    assert sorted(pictures(browser)) == sorted(f"The figure {name}" for name in figures)
    captions = texts(browser, ".study figcaption")
    assert len(captions) == len(figures)
    assert all("Look at" in caption or "Verdicts" in caption for caption in captions)
    tables = list(study.folder.glob("results/tables/*.md"))
    assert {path.stem for path in tables} >= figures
    for path in tables:
        lines = [line for line in path.read_text().splitlines() if line.startswith("|") and "| --" not in line]
        assert lines
        rows = page_rows(browser, path.stem)
        for line in lines:
            without_links = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", line)
            assert [entry.strip() for entry in without_links[1:-1].split("|")] in rows, f"{path.name}: {line}"


def page_rows(browser: webdriver.Chrome, section: str) -> list[list[str]]:
    """The words of every row of the tables of a section of the page."""
    rows = f"[...document.querySelectorAll('#{section} tr')]"
    return browser.execute_script(f"return {rows}.map(row => [...row.cells].map(cell => cell.textContent.trim()))")


def test_report_has_every_figure_and_table(browser: webdriver.Chrome, finished: WorkflowCopy) -> None:
    check_report(opened(browser, finished.folder / "results/report.html"), finished)


def test_report_tells_study_cost_and_provenance(browser: webdriver.Chrome, finished: WorkflowCopy) -> None:
    opened(browser, finished.folder / "results/report.html")
    about = " ".join(texts(browser, "#study")[0].split())
    assert f"1 network (tiny: lenet-300-100 on digits, 3 epochs) was pruned by {len(METHODS)} methods" in about
    assert "removing 86.6% of the prunable weights; versions of each method: unmodified, shuffled" in about
    assert f"1 seed, so many times was each network trained. That makes {len(CELLS)} trainings" in about
    tables = {heading: rows_after(browser, heading) for heading in ("cost", "provenance")}
    seconds = pd.read_csv(finished.folder / "results/tables/cells.csv").training_seconds
    assert tables["cost"] == [["tiny", tables["cost"][0][1], str(len(CELLS)), f"{seconds.mean():.2f}", "0.00", "0.00"]]
    evaluation = json.loads((finished.cell("snip/86.6/none") / "evaluation.json").read_text())
    code = evaluation["provenance"]["recipes"]["training"]["training_code"]
    assert ["code of training", code, str(len(CELLS))] in tables["provenance"]
    assert ["engine", "cpu", str(len(CELLS))] in tables["provenance"]
    snip = evaluation["provenance"]["recipes"]["mask"]["scoring_code"]
    assert ["code of the score snip", snip, str(len(ABLATIONS))] in tables["provenance"]


def rows_after(browser: webdriver.Chrome, heading: str) -> list[list[str]]:
    rows = browser.find_elements(By.XPATH, f"//h2[@id='{heading}']/following::table[1]/tbody/tr")
    return [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")] for row in rows]


def test_report_of_snakemake_begins_with_the_same_page(browser: webdriver.Chrome, workflow: WorkflowCopy) -> None:
    workflow.run("--report", "report.html")
    opened(browser, workflow.folder / "report.html")
    WebDriverWait(browser, 20).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, ".study figure img"))
    check_report(browser, workflow)
    title = browser.find_element(By.CSS_SELECTOR, ".study h1")
    assert 0 <= title.rect["y"] < 200, "the page does not begin at its top"


# ------------------------------------------------------------------------------------------------- the interactive page


@pytest.fixture
def page(browser: webdriver.Chrome, finished: WorkflowCopy) -> webdriver.Chrome:
    opened(browser, finished.folder / "results/interactive.html")
    WebDriverWait(browser, 20).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "#points .point"))
    return browser


def curves(page: webdriver.Chrome) -> list[str]:
    return page.execute_script("return document.getElementById('points').data.map(trace => trace.name)")


def check(page: webdriver.Chrome, value: str) -> None:
    page.find_element(By.CSS_SELECTOR, f"input[value='{value}'], input[id='{value}']").click()


def marks(page: webdriver.Chrome) -> list[WebElement]:
    return page.find_elements(By.CSS_SELECTOR, "#points .point")


def test_curves_are_those_of_the_chosen_methods_and_versions(page: webdriver.Chrome) -> None:
    assert [o.text for o in Select(page.find_element(By.ID, "network")).options] == ["tiny"]
    unmodified = ["SNIP", "Random", "Magnitude after training", "Lottery ticket (rewound)"]
    assert curves(page) == [*unmodified, "Dense network"]
    check(page, "shuffle")
    assert curves(page)[:2] == ["SNIP", "SNIP, shuffled in each layer"]
    check(page, "none")
    for method in ("random", "magnitude-after", "lottery"):
        check(page, method)
    assert curves(page) == ["SNIP, shuffled in each layer", "Dense network"]


def test_means_and_seeds_are_those_of_the_table(page: webdriver.Chrome, finished: WorkflowCopy) -> None:
    check(page, "seeds")
    script = "document.getElementById('points').data.map(t => [t.customdata[0].point.cell, 100 - t.y[0]])"
    drawn = page.execute_script(f"return {script}")
    cells = read_table(str(finished.folder / "results/tables/cells.csv")).set_index(["method", "ablation"]).accuracy
    by_cell = {f"tiny/{m}/86.6/none": cells[m, "none"] for m in METHODS} | {"tiny/dense/0/none": cells["dense", "none"]}
    assert len(drawn) == 2 * len(METHODS) + 1
    assert all(accuracy == pytest.approx(by_cell[cell]) for cell, accuracy in drawn)


def test_pointing_at_a_mark_names_its_cell(page: webdriver.Chrome) -> None:
    check(page, "means")
    check(page, "seeds")
    ActionChains(page).move_to_element(marks(page)[0]).perform()
    WebDriverWait(page, 10).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "#points .hoverlayer .hovertext")
    )
    assert "/86.6/none/seed0" in texts(page, "#points .hoverlayer .hovertext")[0]


def test_clicking_a_mark_shows_its_learning_curve(page: webdriver.Chrome, finished: WorkflowCopy) -> None:
    for method in METHODS:
        if method != "snip":
            check(page, method)
    plot = "const plot = document.getElementById('curve');"
    shown = f"{plot} return [plot.layout.title.text, plot.data.map(t => [t.name, t.x, t.y])]"
    assert page.execute_script(shown)[0] == "Dense network: tiny/dense/0/none"
    ActionChains(page).move_to_element(marks(page)[0]).click().perform()
    WebDriverWait(page, 10).until(lambda driver: "snip" in driver.execute_script(shown)[0])
    title, lines = page.execute_script(shown)
    curve = pd.read_csv(finished.cell("snip/86.6/none") / "training.csv")
    assert title == "SNIP: tiny/snip/86.6/none"
    assert [name for name, _, _ in lines] == ["seed0, test", "seed0, training"]
    assert lines[0][1] == curve["update"].tolist()
    assert lines[0][2] == pytest.approx((100 - curve["test_accuracy"]).tolist(), abs=0.006)
