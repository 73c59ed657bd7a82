"""The page of a fridge: whole by itself, and of nothing but ids and figures."""

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.training.production import ground
from tests.training.production.conftest import Bench
from visavox.training.production import card, fridge_fit, fridge_gate
from visavox.training.production.fridge_fit import Kept, train
from visavox.training.production.fridge_gate import Verdict
from visavox.training.production.fridge_proof import Champion, Enrolled


def judged(
    bench: Bench, enrolled: Enrolled, champion: Champion | None = None
) -> tuple[Verdict, list[Kept]]:
    kept = []
    for family in bench.recipe.families:
        lineage = fridge_fit.lineage(
            enrolled, bench.rest, bench.recipe, family, run="r1", as_of="2026-03-01T12:00:00+00:00",
            ledger_tag="<tag>",
        )  # fmt: skip
        made = train(bench.grounds[family], enrolled, bench.recipe, lineage, champion=champion)
        kept.append(Kept(fridge_fit.about(made), made.proved, made.champion))
    return fridge_gate.judge(kept, bench.recipe, champion), kept


@pytest.fixture(scope="module")
def whole(bench: Bench) -> tuple[Verdict, list[Kept]]:
    champion = Champion("c" * 64, "plda", frozenset(bench.enrolled.members), frozenset())
    return judged(bench, bench.enrolled, champion)


class Reader(HTMLParser):
    """What a browser would fetch, and whether every tag is closed."""

    VOID = frozenset({"meta", "br", "line", "polyline", "path"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.fetched += [str(v) for k, v in attrs if k in {"src", "href", "xlink:href", "data"}]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag, attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_is_whole_and_fetches_nothing(whole: tuple[Verdict, list[Kept]]) -> None:
    page = card.page(*whole)
    read = Reader(page)
    assert read.open == []
    assert read.fetched == []
    assert "@import" not in page
    assert "url(" not in page
    assert "<script" not in page


def test_it_says_who_was_compared_and_what_the_gate_found(
    whole: tuple[Verdict, list[Kept]],
) -> None:
    verdict, kept = whole
    text = " ".join(Reader(card.page(verdict, kept)).text)
    for sentence in (*verdict.reasons, *verdict.claims, *verdict.unproved, verdict.chosen_by):
        assert sentence in text
    assert "prototype" in text
    assert "champion’s recipe" in text
    assert verdict.digest in text
    assert "personas" in text
    assert "<tag>" in text  # as text: it was escaped


def test_a_refusal_is_told_by_its_reasons(whole: tuple[Verdict, list[Kept]]) -> None:
    verdict, kept = whole
    refused = replace(verdict, passed=False, reasons=("Its weights are <not> finite.",))
    text = " ".join(Reader(card.page(refused, kept)).text)
    assert "refused" in text
    assert "Its weights are <not> finite." in text


def test_people_who_exist_are_not_called_personas(whole: tuple[Verdict, list[Kept]]) -> None:
    verdict, kept = whole
    real = [
        replace(k, proved=replace(k.proved, figures={**k.proved.figures, "population": "staff"}))
        for k in kept
    ]
    assert "personas" not in " ".join(Reader(card.page(verdict, real)).text)


def test_links_open_and_only_addresses_are_links(whole: tuple[Verdict, list[Kept]]) -> None:
    links = {"run": "https://runs.example/r1?a=1&b=2", "seed": "javascript:alert(1)"}
    read = Reader(card.page(*whole, links))
    assert read.fetched == ["https://runs.example/r1?a=1&b=2"]


def test_a_fridge_of_one_capture_each_still_has_its_page(bench: Bench) -> None:
    few = ground.only(
        bench.enrolled, [s == bench.enrolled.sessions[0] for s in bench.enrolled.sessions]
    )
    text = " ".join(Reader(card.page(*judged(bench, few))).text)
    assert "gave a single capture" in text


def test_the_verdict_and_its_page_are_kept_together(
    whole: tuple[Verdict, list[Kept]], tmp_path: Path
) -> None:
    made = card.keep(*whole, tmp_path)
    assert (tmp_path / card.NAME).read_text() == made
    assert fridge_gate.read(tmp_path) == whole[0]


def test_several_fridges_are_one_page(whole: tuple[Verdict, list[Kept]]) -> None:
    page = card.page(*whole)
    read = Reader(card.together({"kitchen": page, "attic": page}))
    assert read.open == []
    assert read.text.count("attic") == 1
    assert Reader(card.together({})).open == []


def test_a_curve_is_drawn_by_its_corners(whole: tuple[Verdict, list[Kept]]) -> None:
    lines = re.findall(r'points="([^"]*)"', card.page(*whole))
    assert len(lines) == 3
    for line in lines:
        points = [tuple(map(float, p.split(","))) for p in line.split(" ")]
        assert 2 <= len(points) < 200
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            assert x1 == x2 or y1 == y2
