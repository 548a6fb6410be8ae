"""The built site in a real browser: python tests/browser/visit.py FOLDER [--screenshots FOLDER]

Every page, at the width of a desktop, a tablet and a phone, light and dark: no error in the console, no broken link,
anchor or image, nothing wider than the window, no name broken by letter, at most 30 links in the menu; and every page
is reachable from the first. The pages of public names are alike, so each is visited in one of the six windows.
Needs selenium, chromium and its driver.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
WIDTHS = {"desktop": (1400, 900), "tablet": (800, 1100), "phone": (360, 740)}
WINDOWS = [(width, scheme) for width in WIDTHS for scheme in ("light", "dark")]

# Collects a page's links and images, and the elements wider than the window, except those in boxes that scroll.
LOOK = """
const wide = [], limit = document.documentElement.clientWidth + 1;
if (document.documentElement.scrollWidth > limit) {
    const scrolls = e => e && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
    for (const e of document.querySelectorAll("body *"))
        if (e.getBoundingClientRect().right > limit && !scrolls(e.parentElement))
            wide.push(e.tagName + "." + e.className);
    if (!wide.length) wide.push("the page");
}
return {
    links: [...document.querySelectorAll("a[href]")].map(a => a.href).concat([...document.forms].map(f => f.action)),
    ids: [...document.querySelectorAll("[id], a[name]")].map(e => e.id || e.name),
    broken: [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src),
    wide: wide.slice(0, 5),
    split: [...document.querySelectorAll("article .pre")].filter(
        e => e.getClientRects().length > 1 && !e.querySelector("wbr") && /^[\\w.]+$/.test(e.textContent)
    ).map(e => e.textContent),
    menu: document.querySelectorAll(".sidebar-tree .toctree-l1").length,
    dark: getComputedStyle(document.body).backgroundColor,
};
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing; a browser asks for an icon whether a page has one or not."""

    def do_GET(self) -> None:
        if self.path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


def browser(folder: str) -> webdriver.Chrome:
    """A browser with nothing in its memory."""
    options = Options()
    for flag in [*FLAGS, f"--user-data-dir={folder}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.page_load_strategy = "normal"
    driver = next((path for path in ("/usr/bin/chromedriver",) if Path(path).exists()), None)
    return webdriver.Chrome(options=options, service=Service(driver) if driver else Service())


def show(driver: webdriver.Chrome, width: str, scheme: str) -> None:
    """From now on, as this window."""
    wide, high = WIDTHS[width]
    mobile = width == "phone"
    metrics = {"width": wide, "height": high, "deviceScaleFactor": 1, "mobile": mobile}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def visit(site: Path, screenshots: Path | None) -> list[str]:
    """Return the faults of the site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_address[1]}/"
    pages = sorted(f"{root}{path.relative_to(site).as_posix()}" for path in site.rglob("*.html"))
    names = [page for page in pages if page.startswith(f"{root}reference/keyrng.")]
    others = [page for page in pages if page not in names]
    links: dict[str, set[str]] = {}
    anchors: dict[str, set[str]] = {}
    faults: list[str] = []
    backgrounds: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        driver = browser(folder)
        try:
            for turn, (width, scheme) in enumerate(WINDOWS):
                show(driver, width, scheme)
                for page in [*others, *names[turn :: len(WINDOWS)]]:
                    driver.get(page)
                    seen = driver.execute_script(LOOK)
                    where = f"{page.removeprefix(root)} ({width}, {scheme})"
                    faults += [f"{where}: broken image {source}" for source in seen["broken"]]
                    faults += [f"{where}: wider than the window: {what}" for what in seen["wide"]]
                    faults += [f"{where}: a name broken by letter: {name}" for name in seen["split"]]
                    faults += [f"{where}: {seen['menu']} links in the menu"] * (seen["menu"] > 30)
                    faults += [f"{where}: {entry['message']}" for entry in driver.get_log("browser")]
                    links[page], anchors[page] = set(seen["links"]), set(seen["ids"])
                    backgrounds[scheme] = seen["dark"]
                    if screenshots:
                        name = f"{page.removeprefix(root).replace('/', '-')}.{width}.{scheme}.png"
                        driver.save_screenshot(str(screenshots / name))
        finally:
            driver.quit()
            server.shutdown()
    if backgrounds["light"] == backgrounds["dark"]:
        faults.append("the dark pages are as light as the light ones")
    return faults + wrong_links(site, root, links, anchors)


def wrong_links(site: Path, root: str, links: dict[str, set[str]], anchors: dict[str, set[str]]) -> list[str]:
    """Links and anchors that lead nowhere, and pages that no link leads to."""
    faults = []
    for page, targets in links.items():
        for target in sorted(targets):
            url, anchor = urldefrag(urljoin(page, target))
            if not url.startswith(root):
                continue
            path = site / unquote(urlsplit(url).path).lstrip("/")
            if path.is_dir():
                path, url = path / "index.html", url.rstrip("/") + "/index.html"
            if not path.exists():
                faults.append(f"{page.removeprefix(root)}: broken link {target}")
            elif anchor and url in anchors and unquote(anchor) not in anchors[url]:
                faults.append(f"{page.removeprefix(root)}: no anchor {target.removeprefix(root)}")
    reached, left = set(), [f"{root}index.html"]
    while left:
        page = left.pop()
        if page in reached or page not in links:
            continue
        reached.add(page)
        left += [urldefrag(target)[0] for target in links[page]]
    return faults + [f"no link leads to {page.removeprefix(root)}" for page in sorted(set(links) - reached)]


def main() -> None:
    parser = argparse.ArgumentParser(description="the built site in a real browser")
    parser.add_argument("site", type=Path)
    parser.add_argument("--screenshots", type=Path)
    options = parser.parse_args()
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    faults = visit(options.site.resolve(), options.screenshots)
    print("\n".join(faults) or "every page is whole, at both widths, light and dark")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
