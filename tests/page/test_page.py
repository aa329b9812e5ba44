"""`results/index.html` in a real Chromium: `make test-page`."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cvclaims.results.html import index_html
from cvclaims.results.view import Numbers
from tests.results.synthetic import CE, judged, measured, row

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: .[page]")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium or chromedriver is not installed"
)

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
NASTY = "</script><script>document.title='caught'</script><img src=x onerror=alert(1)>"
NETS = {"report": "nets", "report_number": 1, "report_title": "Nets", "device": "NVIDIA H200"}
DECIDED = Numbers(estimate=0.0107, lower=0.003, upper=0.02, level=0.02, p=0.01, n=[3, 3])
ROWS = [
    row("1.01", title="Three kernels see what one sees", **NETS, measured={}, reported={}),
    row("1.02", verdict="refuted", disputed="a tie", scale="reduced", **NETS),
    judged("5.04", {"ce": CE}, case="digits", decision=DECIDED, figures=["figure.svg"]),
    row("5.04", case="moons", verdict="inconclusive", measured={"ce": measured(0.5, 0.6)}),
    row("5.10", title=NASTY, case=NASTY, reason=NASTY, report_title=NASTY, source=NASTY),
]
FIGURE = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"></svg>'


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service(DRIVER)
    made = webdriver.Chrome(options=options, service=service)
    yield made
    made.quit()


class Page:
    """The page as a reader has it in front of them."""

    def __init__(self, browser: Any, file: Path) -> None:
        self.browser, self.file = browser, file
        self.resize(1200, 900)
        self.emulate()

    def open(self, address: str = "") -> "Page":
        self.browser.get("about:blank")
        self.browser.get(f"{self.file.as_uri()}{address}")
        return self

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def emulate(self, media: str = "", scheme: str = "light") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        asked = {"media": media, "features": features}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", asked)

    def run(self, script: str) -> Any:
        return self.browser.execute_script(f"return {script}")

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def shown(self) -> list[str]:
        """Claim and case of every row that is seen, in order."""
        return list(
            self.run(
                "[...document.querySelectorAll('tbody:not([hidden]) tr.row td:first-child')]"
                ".map(cell => cell.innerText.replace('\\n', ' ').slice(0, 12).trim())"
            )
        )

    def press(self, keys: str) -> None:
        webdriver.ActionChains(self.browser).send_keys(keys).perform()

    def colour(self) -> str:
        return str(self.run("getComputedStyle(document.body).backgroundColor"))


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Page]:
    (tmp_path / "index.html").write_text(index_html(ROWS), encoding="utf-8")
    (tmp_path / "figure.svg").write_text(FIGURE)
    yield Page(browser, tmp_path / "index.html").open()
    told = [entry["message"] for entry in browser.get_log("browser")]
    assert told == []  # no error, no warning, nothing that the policy had to stop


def test_it_shows_every_row(page: Page) -> None:
    assert page.shown() == ["1.01", "1.02", "5.04 digits", "5.04 moons", "5.10 </scrip"]
    assert page.find("output").text == "5 of 5 rows"


@pytest.mark.parametrize(
    ("name", "value", "claims"),
    [
        ("report", "nets", ["1.01", "1.02"]),
        ("verdict", "refuted", ["1.02"]),
        ("scale", "reduced", ["1.02"]),
        ("device", "NVIDIA H200", ["1.01", "1.02"]),
    ],
)
def test_each_filter(page: Page, name: str, value: str, claims: list[str]) -> None:
    page.find(f"select[name={name}] option[value='{value}']").click()
    assert page.shown() == claims
    assert page.run("location.hash").startswith(f"#{name}=")
    page.find("form button").click()
    assert len(page.shown()) == len(ROWS)


def test_text_is_searched_word_by_word(page: Page) -> None:
    page.press("/")
    page.press("kernels three")
    assert page.shown() == ["1.01"]
    page.press("\ue00c")  # Escape
    assert len(page.shown()) == len(ROWS)


def test_sorting_both_ways(page: Page) -> None:
    page.find("th[data-by=measured] button").click()
    assert page.shown()[0] == "5.04 moons"
    assert page.shown()[-1] == "1.01"  # nothing was measured
    page.find("th[data-by=measured] button").click()
    assert page.find("th[data-by=measured]").get_attribute("aria-sort") == "descending"
    assert page.shown()[-2:] == ["5.04 moons", "1.01"]


def test_a_claim_opens_in_place_by_mouse_and_by_keyboard(page: Page) -> None:
    page.find("tbody[data-number='2'] tr.row").click()
    assert "difference 0.01067" in page.find("tr.open").text
    assert page.run("document.querySelector('tr.open img').naturalWidth") == 40
    page.press("\ue00c")
    assert page.run("document.querySelectorAll('tr.open').length") == 0
    page.press("jj")
    assert page.run("document.activeElement.textContent") == "1.02"
    page.press("\ue007")  # Enter
    assert page.run("document.activeElement.ariaExpanded") == "true"
    assert "a tie" in page.find("tr.open").text
    page.press("k")
    assert page.run("document.activeElement.textContent") == "1.01"


def test_the_address_shares_the_view_and_back_returns(page: Page) -> None:
    page.find("select[name=report] option[value='losses']").click()
    page.find("th[data-by=measured] button").click()
    page.find("tbody[data-number='3'] tr.row").click()
    address = page.run("location.hash")
    before = page.shown()
    page.open(address)
    assert page.shown() == before
    assert page.run("document.querySelector('tr.open').parentNode.dataset.number") == "3"
    page.find("tbody[data-number='3'] tr.row td").click()
    page.browser.back()
    assert page.run("document.querySelectorAll('tr.open').length") == 1
    assert page.shown() == before


def test_an_address_of_nonsense_shows_all(page: Page) -> None:
    page.open("#report=none&verdict=%3Cb%3E&sort=__proto__&open=nothing")
    assert len(page.shown()) == len(ROWS)


def test_narrow_screens_need_no_sideways_scrolling(page: Page) -> None:
    page.resize(360, 800)
    page.open("#open=5.04%2Fdigits")
    assert page.run("document.documentElement.scrollWidth") <= 360
    assert page.find("tr.open").is_displayed()


def test_dark_and_print(page: Page) -> None:
    assert page.colour() == "rgb(255, 255, 255)"
    page.emulate(scheme="dark")
    assert page.colour() == "rgb(13, 17, 23)"
    page.emulate(media="print")
    assert not page.find("form").is_displayed()
    assert page.find("table.claims").is_displayed()


def test_text_from_outside_stays_text(page: Page) -> None:
    page.find("tbody[data-number='4'] button.id").click()
    assert page.browser.title == "cvclaims: results"
    assert NASTY in page.find("tbody[data-number='4']").text
    assert page.run("document.querySelectorAll('table.claims img').length") == 0


def test_a_thousand_claims(browser: Any, tmp_path: Path) -> None:
    rows = [row(f"{n // 100}.{n % 100:02d}", title=f"claim number {n}") for n in range(1000)]
    (tmp_path / "index.html").write_text(index_html(rows), encoding="utf-8")
    large = Page(browser, tmp_path / "index.html").open()
    assert len(large.shown()) == 1000
    large.press("/")
    large.press("number 777")
    assert len(large.shown()) == 1
    assert browser.get_log("browser") == []
