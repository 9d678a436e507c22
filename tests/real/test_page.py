"""The page that ``show --format html`` writes, in Chromium, as somebody uses it."""

import os
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from cobbler_bridge import findings
from cobbler_bridge.problem import Problem
from cobbler_bridge.show import page
from cobbler_bridge.show.listing import NOT_INSTALLED, BridgeRow, GuestRow, HostRow
from cobbler_bridge.store.host_record import ROLLED_BACK, UNSEEN, VERIFIED
from waiting import wait_for

LAYER = Path(__file__).resolve().parents[2] / ".venv/layer-browser"
LIBRARIES = LAYER / "usr/lib/x86_64-linux-gnu"
DAY = 86400
NASTY = '</script><img src=x onerror="document.title=1">'
REASON = "br0 has no link"


def site(number: int) -> Tuple[List[HostRow], List[Problem]]:
    """So many hosts: one is rolled back, one is silent for eleven months, one isn't installed."""
    rows = []
    for each in range(number):
        guests = tuple(GuestRow("web%d-%d" % (each, n), (("eth0", "br0"),)) for n in range(9))
        bridges = (BridgeRow("br0", ("eth0",)),)
        rows.append(HostRow("kvm%d" % each, bridges, VERIFIED, ago(9), guests, seen=ago(0)))
    waits = (GuestRow("waits", (("eth0", ""),)),)
    wrong = (GuestRow("wrong", (("eth0", "br9"),)),)
    rows[0] = rows[0]._replace(state=ROLLED_BACK, reason=REASON)
    rows[1] = rows[1]._replace(seen=ago(330), drift=UNSEEN, guests=wrong)
    rows[2] = rows[2]._replace(name=NASTY, state=NOT_INSTALLED, since="", seen="", guests=waits)
    found = [
        Problem("kvm0", "record", "the host is rolled back", "correct it", findings.ROLLED_BACK),
        Problem("waits", "bridge_host", "no bridge", "wait", findings.HOST_WAITED_FOR),
    ]
    return rows, found


def ago(days: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * DAY - 60))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    binary = LAYER / "usr/lib/chromium/chromium"
    if not binary.exists():
        # which conftest.py says, and skips
        raise FileNotFoundError(2, "is not unpacked", str(LAYER))
    options = webdriver.ChromeOptions()
    options.binary_location = str(binary)
    home = tmp_path_factory.mktemp("browser")
    for word in ("headless", "no-sandbox", "disable-gpu", "user-data-dir=%s" % home):
        options.add_argument("--" + word)
    libraries = "%s:%s" % (LIBRARIES, LIBRARIES / "pulseaudio")
    service = webdriver.ChromeService(
        executable_path=str(LAYER / "usr/bin/chromedriver"),
        env=dict(os.environ, LD_LIBRARY_PATH=libraries, HOME=str(home)),
    )
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


def opened(browser: webdriver.Chrome, folder: Path, number: int, words: str = "") -> None:
    show(browser, folder, *site(number), words)


def show(
    browser: webdriver.Chrome,
    folder: Path,
    rows: List[HostRow],
    found: List[Problem],
    words: str = "",
) -> None:
    path = folder / "page.html"
    path.write_text(page.html(rows, found, time.time()), encoding="utf-8")
    browser.get("about:blank")
    browser.get(path.as_uri() + words)


def hosts(browser: webdriver.Chrome) -> List[WebElement]:
    return browser.find_elements(By.TAG_NAME, "details")


def names(browser: webdriver.Chrome) -> List[str]:
    return [str(each.get_attribute("data-host")) for each in hosts(browser)]


def colour(element: WebElement, name: str = "color") -> str:
    return element.value_of_css_property(name)


def said(browser: webdriver.Chrome) -> List[str]:
    found: List[Dict[str, Any]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return [str(each["message"]) for each in found]


@pytest.mark.parametrize("number", [3, 300, 3000])
def test_the_worst_is_first_with_its_reason(
    browser: webdriver.Chrome, tmp_path: Path, number: int
) -> None:
    opened(browser, tmp_path, number)
    assert names(browser)[:2] == ["kvm0", "kvm1"]
    text = hosts(browser)[0].text
    assert "rolled back" in text
    assert REASON in text
    assert len(hosts(browser)) == min(number, 400)
    sums = browser.find_element(By.ID, "sums").text
    assert sums == "%d hosts, %d guests" % (number, 9 * (number - 2) + 2)
    assert said(browser) == []
    assert browser.title == "Bridges"


def test_search_and_filters(browser: webdriver.Chrome, tmp_path: Path) -> None:
    opened(browser, tmp_path, 3000)
    search = browser.find_element(By.ID, "search")
    search.send_keys("no link")
    assert names(browser) == ["kvm0"]
    # the only one is unfolded, with its guests and its findings
    assert "web0-3" in hosts(browser)[0].text
    assert "rolled-back" in hosts(browser)[0].text
    assert "#q=no+link" in browser.current_url
    search.send_keys(Keys.ESCAPE)
    search.send_keys("web2987-1")
    assert names(browser) == ["kvm2987"]
    search.send_keys(Keys.ESCAPE)
    for button in browser.find_elements(By.CSS_SELECTOR, "#states button"):
        if button.text == "rolled back 1":
            button.click()
            assert button.get_attribute("aria-pressed") == "true"
    assert names(browser) == ["kvm0"]
    # the address says what is looked at
    opened(browser, tmp_path, 3000, "#q=kvm29&state=verified")
    assert names(browser)[0] == "kvm29"
    assert all(each.startswith("kvm29") for each in names(browser))
    opened(browser, tmp_path, 3, "#q=nobody")
    browser.find_element(By.ID, "all").click()
    assert len(names(browser)) == 3


def test_a_keyboard_is_enough(browser: webdriver.Chrome, tmp_path: Path) -> None:
    opened(browser, tmp_path, 3)
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys("/")
    assert browser.switch_to.active_element.get_attribute("id") == "search"
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert "kvm1" in browser.switch_to.active_element.text
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert hosts(browser)[1].get_attribute("open") == "true"
    browser.find_element(By.ID, "open").click()
    assert all(each.get_attribute("open") for each in hosts(browser))
    browser.find_element(By.ID, "shut").click()
    assert not any(each.get_attribute("open") for each in hosts(browser))


def test_colours_say_what_is_wrong_and_what_only_waits(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    opened(browser, tmp_path, 300)
    looks = {each.get_attribute("data-host"): each for each in hosts(browser)[:300]}
    border = {name: colour(each, "border-left-color") for name, each in looks.items()}
    assert len({border[name] for name in ("kvm0", "kvm1", NASTY, "kvm9")}) == 4
    browser.find_element(By.ID, "open").click()
    cells = {each.text: each for each in looks[NASTY].find_elements(By.TAG_NAME, "td")}
    wrong = {each.text: each for each in looks["kvm1"].find_elements(By.TAG_NAME, "td")}
    assert colour(wrong["br9"]) == border["kvm0"]
    assert colour(cells["waits"]) != border["kvm0"]
    silent = looks["kvm1"].find_element(By.CLASS_NAME, "seen")
    assert silent.text == "seen 10 months ago"
    assert colour(silent) == border["kvm1"]
    assert colour(looks["kvm9"].find_element(By.CLASS_NAME, "seen")) != border["kvm1"]


def test_what_a_verified_host_is_red_for_is_said(browser: webdriver.Chrome, tmp_path: Path) -> None:
    rows, found = site(3)
    field = "virt_bridge of eth0"
    found.append(Problem("web1-0", field, "br9 is none of kvm1's", "br0", findings.UNPLACED))
    rows[1] = rows[1]._replace(drift="", guests=(GuestRow("web1-0", (("eth0", "br9"),)),))
    show(browser, tmp_path, rows, found)
    card = hosts(browser)[1]
    assert card.get_attribute("data-host") == "kvm1"
    assert "web1-0: virt_bridge of eth0: br9 is none of kvm1's" in card.text
    assert colour(card.find_element(By.CLASS_NAME, "state")) != colour(card, "border-left-color")


def test_many_guests_wait_in_one_line(browser: webdriver.Chrome, tmp_path: Path) -> None:
    rows, found = site(3)
    guests = tuple(GuestRow("g%d" % n, (("eth0", ""),)) for n in range(40))
    rows[2] = rows[2]._replace(guests=guests)
    kind = findings.HOST_WAITED_FOR
    found = [Problem(each.name, "bridge_host", "not installed", "wait", kind) for each in guests]
    show(browser, tmp_path, rows, found)
    browser.find_element(By.ID, "open").click()
    # what is unfolded is filled in behind that
    wait_for(lambda: browser.find_elements(By.CSS_SELECTOR, "details li"))
    lines = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "details li")]
    assert lines == ["waiting 40 guests: bridge_host: not installed; wait host-waited-for"]


def test_no_text_turns_or_widens_the_page(browser: webdriver.Chrome, tmp_path: Path) -> None:
    rows, _ = site(3)
    rows[0] = rows[0]._replace(reason="\u202ekcab dellor " + "x" * 500, name="a" * 255)
    show(browser, tmp_path, rows, [])
    browser.find_element(By.ID, "open").click()
    assert "\\u202ekcab" in hosts(browser)[0].text
    for element in browser.find_elements(By.CSS_SELECTOR, "summary > *"):
        assert element.size["width"] < browser.get_window_size()["width"]


@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_a_telephone_and_a_screen(
    browser: webdriver.Chrome, tmp_path: Path, width: int
) -> None:
    size = {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened(browser, tmp_path, 300)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_dark_and_print(browser: webdriver.Chrome, tmp_path: Path) -> None:
    papers = set()
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        opened(browser, tmp_path, 3)
        papers.add(colour(browser.find_element(By.TAG_NAME, "body"), "background-color"))
    assert len(papers) == 2
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    assert not browser.find_element(By.ID, "search").is_displayed()
    assert hosts(browser)[0].is_displayed()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
