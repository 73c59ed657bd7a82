"""The API's description for people: one page, made from /openapi.json, without any script."""

import html
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response

from api.openapi import operations

router = APIRouter(include_in_schema=False)

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .4rem 0; }
code, pre { font: .9em ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8884; border-radius: .4rem; }
.method { display: inline-block; min-width: 4.5em; font-weight: 700; }
td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top; }
"""


@router.get("/docs")
async def page(request: Request) -> Response:
    """Every operation."""
    document = request.app.openapi()
    return Response("".join(_page(document)), media_type="text/html; charset=utf-8")


@router.get("/docs/style.css")
async def style() -> Response:
    return Response(_STYLE, media_type="text/css; charset=utf-8")


def _page(document: dict[str, Any]) -> Iterator[str]:
    about = document["info"]
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/docs/style.css">'
        f"<title>{_text(about['title'])} API</title></head><body>"
        f"<h1>{_text(about['title'])} API {_text(about['version'])}</h1>"
        f"<pre>{_text(about['description'])}</pre>"
        '<p>For programs: <a href="/openapi.json">openapi.json</a></p>'
    )
    for tag in document["tags"]:
        yield f"<h2>{_text(tag['name'])}</h2><p>{_text(tag['description'])}</p>"
        for path, method, operation in operations(document):
            if tag["name"] in operation.get("tags", ()):
                yield from _operation(path, method, operation)
    yield "</body></html>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield (
        f'<details><summary><span class="method">{method}</span> <code>{_text(path)}</code>'
        f" {_text(operation['summary'])}</summary>"
        f"<p>{_text(operation.get('description', ''))}</p>"
    )
    yield from _parts("Parameters", operation.get("parameters", ()), "name")
    answers = [{"name": s, **a} for s, a in operation["responses"].items()]
    yield from _parts("Answers", answers, "name")
    yield "</details>"


def _parts(title: str, parts: Any, key: str) -> Iterator[str]:
    if not parts:
        return
    yield f"<table><caption>{title}</caption>"
    for part in parts:
        said = _text(part.get("description", ""))
        yield f"<tr><th><code>{_text(part[key])}</code></th><td>{said}</td></tr>"
    yield "</table>"


def _text(value: object) -> str:
    return html.escape(str(value))
