"""`index.html`: every claim on one page, to be filtered, sorted and opened; no network."""

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from cvclaims.claim import mean_reported
from cvclaims.results.claim_page import claims_of, command
from cvclaims.results.figures.overview import effects
from cvclaims.results.markdown import why
from cvclaims.results.numbers import briefly, quantities
from cvclaims.results.overview import certainty, counts, heading
from cvclaims.results.view import ClaimView, by_report
from cvclaims.verdict.decision import SYMBOLS, Verdict, in_words

if TYPE_CHECKING:
    import jinja2

INDEX = "index.html"
_HEADS = ("claim", "statement", "reported", "measured", "effect", "verdict", "scale")


def index_html(views: Sequence[ClaimView]) -> str:
    """The page of these rows, in their order, with their figures' files.

    Texts from outside travel as JSON and are shown as text; a policy in the page forbids every
    script but its own, and the network.
    """
    from markupsafe import Markup

    template, style, script = _template()
    pages = {row.place: file for file, rows in claims_of(views).items() for row in rows}
    return template.render(
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        certainty=certainty(views).replace("**", "").strip(),
        counts=counts(views),
        choices=_choices(views),
        heads=_HEADS,
        data={
            "symbols": {str(verdict): symbol for verdict, symbol in SYMBOLS.items()},
            "rows": [_row(view, number, pages[view.place]) for number, view in enumerate(views)],
        },
    )


@functools.cache
def _template() -> "tuple[jinja2.Template, str, str]":
    """The page, its style and its script."""
    import jinja2

    folder = resources.files("cvclaims.results") / "templates"
    page, style, script = (
        folder.joinpath(f"index.{kind}").read_text("utf-8") for kind in ("html.jinja", "css", "js")
    )
    made = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return made.from_string(page), style, script


def _hash(text: str) -> str:
    """What a policy names a script or a style by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _choices(views: Sequence[ClaimView]) -> Mapping[str, list[tuple[str, str]]]:
    """What can be chosen of each filter: its value, and how it is shown."""
    reports = []
    for slug, part in by_report(views).items():
        number, title, _ = heading(part)
        reports.append((slug, f"{number}. {title or slug}" if number else title or slug))
    found = {view.verdict for view in views}
    devices = sorted({view.device for view in views if view.device})
    scales = sorted({view.scale for view in views})
    return {
        "report": reports,
        "verdict": [(v.value, f"{SYMBOLS[v]} {v.value}") for v in Verdict if v in found],
        "scale": [(scale, scale) for scale in scales],
        "device": [(device, device) for device in devices],
    }


def _row(view: ClaimView, number: int, page: str) -> dict[str, Any]:
    """A row as the page's script takes it."""
    words = in_words(view.verdict, view.disputed).removeprefix(view.verdict).strip(" ()")
    told = effects(view)
    texts = (view.id, view.case, view.title, view.report_title, view.source, view.data, view.device)
    return {
        "key": "/".join(filter(None, (view.id, view.case, view.timed_on))),
        "place": number,
        "id": view.id,
        "case": view.case,
        "title": view.title,
        "report": view.report,
        "verdict": view.verdict,
        "meaning": words,
        "scale": view.scale,
        "device": view.device,
        "text": " ".join((*texts, view.verdict, words)).lower(),
        "reason": why(view),
        "quantities": _quantities(view),
        "effect": None if told is None else _effect(view, *told),
        "facts": _facts(view),
        "figures": list(view.figures),
        "page": page,
        "command": command(view),
    }


def _quantities(view: ClaimView) -> list[dict[str, Any]]:
    names = [*view.reported, *(name for name in view.measured if name not in view.reported)]
    found = []
    for name, shown in zip(names, quantities(view)[0], strict=True):
        told, measured = view.reported.get(name), view.measured.get(name)
        values = measured["values"] if measured else []
        found.append(
            {
                "label": name,
                "name": shown.name,
                "reported": shown.reported,
                "measured": shown.measured,
                "reportedMean": None if told is None else mean_reported(told),
                "mean": measured["mean"] if measured else None,
                "values": ", ".join("not finite" if v is None else briefly(v) for v in values),
            }
        )
    return found


def _effect(view: ClaimView, reported: float, measured: float) -> dict[str, Any]:
    bounds = {name: view.decision.get(name) for name in ("lower", "upper")}
    return {"reported": reported, "measured": measured, **bounds}


def _facts(view: ClaimView) -> list[tuple[str, str]]:
    """What stands beside a claim, by name; only what there is."""
    decision = view.decision
    numbers = [
        f"{name} {briefly(value)}"
        for name in ("estimate", "lower", "upper", "level", "p")
        if isinstance(value := decision.get(name), int | float)
    ]
    told = (
        ("report", view.report_title or view.report),
        ("where it says so", view.source),
        ("disputed", view.disputed),
        ("rule", view.rule),
        ("what decided", "; ".join(numbers)),
        ("guards that spoke", ", ".join(view.guards)),
        ("size of the effect", view.size),
        ("its own runs", view.own_runs),
        ("assumed", ", ".join(view.assumed)),
        ("data", view.data),
        ("device", view.device),
        ("last try failed", view.failure),
    )
    return [(name, str(text)) for name, text in told if text]
