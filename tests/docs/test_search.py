"""The search of the built site finds what people type; the site is in the folder KEYRNG_SITE.

The functions below rank the entries of the site's searchindex.js as Sphinx's searchtools.js does in a browser.
"""

from __future__ import annotations

import json
import math
import os
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SITE = os.environ.get("KEYRNG_SITE", "")
if not SITE:
    pytest.skip("KEYRNG_SITE is not set", allow_module_level=True)
ENGLISH = pytest.importorskip("sphinx.search.en").SearchEnglish({})
INDEX: dict[str, Any] = json.loads(Path(SITE, "searchindex.js").read_text("utf-8")[len("Search.setIndex(") : -1])
assert {"docnames", "titles", "alltitles", "indexentries", "objects", "terms", "titleterms"} <= set(INDEX)

# Question, and the first answer: a page, or a page and a section.
QUESTIONS = [
    # numbers
    ("normal", "reference/keyrng.normal"),
    ("gaussian", "reference/keyrng.normal"),
    ("randn", "reference/keyrng.normal"),
    ("uniform", "reference/keyrng.uniform"),
    ("integers", "reference/keyrng.randint"),
    ("shuffle", "reference/keyrng.permutation"),
    ("subset", "reference/keyrng.choice"),
    ("without replacement", "reference/keyrng.sample_without_replacement"),
    ("weighted choice", "reference/keyrng.choice"),
    ("coin flip", "reference/keyrng.bernoulli"),
    # keys
    ("key", "reference/keyrng.key"),
    ("seed", "reference/keyrng.key"),
    ("manual_seed", "from-torch#seeds-and-states"),
    ("save key", "keys#saving-keys"),
    ("split", "reference/keyrng.split"),
    ("fold_in", "reference/keyrng.fold_in"),
    ("reuse", "key-reuse"),
    # devices and processes
    ("cuda:1", "gpu#keys-on-a-gpu"),
    ("per-GPU", "gpu#several-gpus"),
    ("rank", "cookbook#the-rank-of-a-process"),
    ("multiprocessing", "cookbook#process-pools"),
    ("threads", "threads"),
    ("set_num_threads", "reference/keyrng.set_num_threads"),
    # training
    ("resume", "cookbook#resuming-training"),
    ("dropout", "reference/keyrng.dropout"),
    ("dataloader", "data-order#pytorch"),
    ("xavier", "initializers"),
    ("checkpoint", "cookbook#resuming-training"),
    # statistics
    ("bootstrap", "bootstrap"),
    ("cross-validation", "cookbook#k-fold-cross-validation"),
    ("monte carlo", "monte-carlo"),
    # about keyrng
    ("install", "index#install"),
    ("performance", "performance"),
    ("default_rng", "from-numpy"),
    ("jax.random", "from-jax"),
]


def answers(question: str) -> list[str]:
    """Return the pages that a search shows, the first one first."""
    words = [word for word in re.split(r"[^\w]+", question) if word]
    searched = [word for word in words if word.lower() not in ENGLISH.stopwords and not word.isdigit()]
    found = [
        *_titles(question.lower()),
        *_index_entries(question.lower()),
        *_objects({word.lower() for word in words}),
        *_terms({ENGLISH.stem(word) for word in searched}),
    ]
    # Sphinx sorts the other way round and shows the last one first.
    found.reverse()
    return [f"{page}{anchor}" for _, _, page, anchor in sorted(found, key=lambda result: result[:2])]


Result = tuple[int, str, str, str]  # the score, negated; the title; the page; #anchor


def _result(score: float, title: str, page: int, anchor: str | None = None) -> Result:
    return -math.floor(score + 0.5), title.lower(), INDEX["docnames"][page], f"#{anchor}" if anchor else ""


def _titles(question: str) -> Iterator[Result]:
    for title, found in INDEX["alltitles"].items():
        if question in title.lower() and len(question) >= len(title) / 2:
            score = math.floor(15 * len(question) / len(title) + 0.5)
            for page, anchor in found:
                of_page = INDEX["titles"][page]
                if title == of_page:
                    yield _result(score + 1, title, page, anchor)
                else:
                    yield _result(score, f"{of_page} > {title}", page, anchor)


def _index_entries(question: str) -> Iterator[Result]:
    for entry, found in INDEX["indexentries"].items():
        if question in entry and len(question) >= len(entry) / 2:
            for page, anchor, is_main in found:
                if is_main:  # the others are shown last
                    yield _result(100 * len(question) / len(entry), INDEX["titles"][page], page, anchor)


def _objects(words: set[str]) -> Iterator[Result]:
    for prefix, objects in INDEX["objects"].items():
        for page, kind, priority, anchor, name in objects:
            full = f"{prefix}.{name}" if prefix else name
            last = full.lower().rpartition(".")[2]
            text = f"{prefix} {name} {INDEX['objnames'][str(kind)][2]} {INDEX['titles'][page]}".lower()
            for word in words:
                if word in full.lower() and all(other in text for other in words - {word}):
                    score = 11 if word in (full.lower(), last) else 6 if word in last else 0
                    score += {0: 15, 1: 5, 2: -5}.get(priority, 0)
                    yield _result(score, full, page, anchor or full)


def _terms(words: set[str]) -> Iterator[Result]:
    scores: dict[int, dict[str, int]] = {}
    for word in words:
        kinds = [(INDEX["terms"], 5, 2), (INDEX["titleterms"], 15, 7)]
        matches = [(terms[word], exact) for terms, exact, _ in kinds if word in terms]
        for terms, _, partial in kinds:
            if len(word) > 2 and word not in terms:
                matches += [(pages, partial) for term, pages in terms.items() if word in term]
        for pages, score in matches:
            for page in [pages] if isinstance(pages, int) else pages:
                scores.setdefault(page, {})[word] = score
    for page, found in scores.items():
        if len(found) in (len(words), len([word for word in words if len(word) > 2])):
            yield _result(max(found.values()), INDEX["titles"][page], page)


def _section(answer: str) -> str:
    """Return a page and section for a page and anchor, which may be an index entry in the section."""
    page, _, anchor = answer.partition("#")
    if not anchor:
        return page
    text = Path(SITE, f"{page}.html").read_text("utf-8")
    sections = re.findall(r'<section id="([^"]+)"', text[: text.index(f'id="{anchor}"') + len(f'id="{anchor}"')])
    return page if len(sections) < 2 else f"{page}#{sections[-1]}"


@pytest.mark.parametrize(("question", "answer"), QUESTIONS, ids=[question for question, _ in QUESTIONS])
def test_the_first_answer(question: str, answer: str) -> None:
    assert _section(answers(question)[0]) == answer


def test_the_words_of_search_words_lead_to_their_pages() -> None:
    all_words = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "search_words.py"))["WORDS"]
    wrong = {
        word: first
        for place, words in all_words.items()
        for word in words
        if (first := answers(word)[0]).partition("#")[0] != place.partition("#")[0]
    }

    assert wrong == {}
