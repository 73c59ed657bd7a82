"""What the API answers, as short texts for the page. JSON in, escaped HTML out."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from demo.problems import ApiProblem, DemoProblem, FieldProblem

Told = Mapping[str, Any]

OUTCOMES = {
    "granted": ("✓", "Granted", "good"),
    "refused": ("✕", "Refused", "bad"),
    "retry": ("↻", "Try again", "warn"),
    "locked": ("⊘", "Locked", "bad"),
}

REASONS = {
    "match": "face and voice match",
    "below_threshold": "not alike enough to any member",
    "ambiguous": "two members are too alike to tell apart",
    "not_comparable": "nothing to compare with",
    "no_members": "nobody is enrolled yet",
    "not_captured": "not captured",
    "no_face": "no face seen",
    "several_faces": "more than one face",
    "face_too_small": "face too small",
    "face_blurred": "face blurred",
    "face_too_dark": "face too dark",
    "face_too_bright": "face too bright",
    "face_turned": "face turned away",
    "face_cut_off": "face cut off",
    "too_little_speech": "too little speech",
    "too_quiet": "too quiet",
    "clipped": "too loud for the microphone",
    "too_noisy": "too noisy",
    "too_slow": "the answer came too late",
    "looks_like": "looks like a member",
    "sounds_like": "sounds like a member",
    "already_enrolled": "enrolled already",
    "several_people": "the captures show several people",
    "locked": "too many failures",
    "accepted": "accepted",
    "pin_match": "number and PIN match",
    "wrong_pin": "number or PIN is wrong",
    "no_compartment": "no compartment may be opened",
    "member_removed": "not a member any more",
    "locked_until_lifted": "locked until an admin lifts it",
    "face_only": "enrolled by face alone",
    "voice_only": "enrolled by voice alone",
}


EVENTS = {
    "member_enrolled": "enrolled",
    "member_removed": "removed",
    "captures_added": "more captures",
    "locked": "locked after failures",
    "capped": "locked until an admin lifts it",
    "lifted": "lock lifted",
    "model_installed": "trained model live",
    "model_removed": "trained model taken out",
    "model_challenger": "new model tried beside the live one",
    "model_promoted": "tried model live",
    "model_withdrawn": "trial ended",
    "model_rolled_back": "former model live again",
}


def reason(code: str) -> str:
    """A machine's reason in words."""
    return REASONS.get(code, code.replace("_", " "))


def banner(people_are: str = "personas: people who do not exist") -> str:
    """Said on every page: whose faces these are."""
    return (
        '<div class="vx-banner" role="note"><b>Nobody here is real.</b> '
        f"The people and all figures on this page are {escape(people_are)}. "
        "They stand in for real people; real people's rates will differ.</div>"
    )


def problem(error: DemoProblem, name_of: Callable[[str], str] = str) -> str:
    """An error as something to act on."""
    lines = [f"<p>{escape(error.problem)}</p>", f'<p class="vx-next">{escape(error.next_step)}</p>']
    facts: list[str] = []
    if isinstance(error, ApiProblem):
        lines += [
            f"<p>{escape(_about(f, name_of))}{escape(_said(f))} <i>{escape(f.next_step)}</i></p>"
            for f in error.fields
        ]
        facts = [t for t in (f"{error.status} {error.code}".strip(),) if t]
        facts += [f"request {error.request_id}"] if error.request_id else []
        facts += [f"again in {error.retry_after} s"] if error.retry_after else []
    return card("!", "That did not work", "bad", "".join(lines), facts, alert=True)


def decision(told: Told, name_of: Callable[[str], str] = str, *, note: str = "") -> str:
    """The answer of the fridge, with a note on it."""
    sign, title, mood = OUTCOMES.get(str(told.get("outcome")), ("?", "Unknown", "warn"))
    member = told.get("member")
    if member:
        title = f"{title}: {_member_name(member, name_of)}"
    body = [f'<p class="vx-next">{escape(str(told.get("next_step") or ""))}</p>']
    opened = [_named(c) for c in told.get("compartments") or ()]
    if opened:
        body.append(f"<p>Opens: {escape(', '.join(opened))}</p>")
    codes = [str(r) for r in told.get("reasons") or ()]
    if codes:
        body.append(chips([reason(c) for c in codes]))
    verdicts = told.get("modalities") or {}
    if isinstance(verdicts, Mapping):
        body += [
            f"<p><b>{escape(str(m))}</b>: {escape(reason(_verdict(v)))}</p>"
            for m, v in verdicts.items()
            if v
        ]
    if told.get("retry_after_s"):
        body.append(f"<p>The fridge listens again in {float(told['retry_after_s']):.0f} s.</p>")
    body += [f'<p class="vx-warning">{escape(note)}</p>'] if note else []
    facts = [f"decision {told.get('id')}", str(told.get("method") or "")]
    facts += ["provisional template, stricter threshold"] if told.get("provisional") else []
    facts += [f"ticket until {_clock(told['expires_at'])}"] if told.get("ticket") else []
    return card(sign, title, mood, "".join(body), [f for f in facts if f])


def enrolled(
    told: Told, name: str, name_of: Callable[[str], str] = str, *, left_out: int = 0
) -> str:
    """A newcomer who is in, with what the admin should know."""
    member = told.get("member")
    member = member if isinstance(member, Mapping) else told
    body = [f"<p>{escape(name)} is enrolled and may open the fridge at once.</p>"]
    if told.get("provisional"):
        body.append("<p>Until the next training, a stricter threshold is asked of them.</p>")
    if left_out:
        body.append(f"<p>Left out: {left_out} poor captures.</p>")
    body += warnings(told.get("warnings") or (), name_of)
    number = told.get("number") or member.get("number")
    facts = [f"member {member.get('id')}", f"number {number}" if number else ""]
    return card("✓", "Enrolled", "good", "".join(body), [f for f in facts if f])


def warnings(found: Sequence[Told], name_of: Callable[[str], str] = str) -> list[str]:
    """One line per warning."""
    lines = []
    for warning in found:
        whom = warning.get("member")
        named = f" ({escape(name_of(str(whom)))})" if whom else ""
        detail = escape(str(warning.get("detail") or ""))
        lines.append(
            f'<p class="vx-warning"><b>{escape(reason(str(warning.get("code"))))}</b>{named} '
            f"{detail}</p>"
        )
    return lines


def erased(told: Told, member: str, audit: Told) -> str:
    """Proof that somebody is gone."""
    proof = told.get("erased") or {}
    rows = [
        ("captures removed", proof.get("captures")),
        ("stored files removed", proof.get("blobs")),
        ("data key destroyed", "yes" if proof.get("key_destroyed") else "no"),
        ("audit record", proof.get("audit_seq")),
        ("audit chain", "whole" if audit.get("valid") else "BROKEN"),
        ("audit records", audit.get("records")),
    ]
    body = (
        f"<p>{escape(member)} is erased. With the key destroyed, what backups still hold cannot "
        "be opened by anybody.</p>" + facts_table(rows)
    )
    return card("✓", "Erased", "good", body, [])


def lineage(told: Told, model: Told) -> str:
    """What made a decision: models by digest, and where they come from."""
    models = told.get("models") or {}
    rows: list[tuple[str, object]] = [
        ("decision", told.get("id")),
        ("at", told.get("at")),
        ("kiosk", told.get("kiosk")),
        ("threshold", number(_threshold(told))),
        ("provisional", "yes" if told.get("provisional") else "no"),
    ]
    rows += [(f"{k} digest", v or "–") for k, v in models.items()]
    # The lineage is of what is live now: it explains only decisions that it made.
    if model.get("bundle") == models.get("bundle"):
        rows += [(f"bundle: {k}", v) for k, v in _flat(model.get("lineage") or {})]
    return facts_table(rows)


def _flat(values: Told, prefix: str = "") -> list[tuple[str, object]]:
    """Nested values, each under its whole name."""
    flat: list[tuple[str, object]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat += _flat(value, f"{prefix}{key} ")
        elif value is not None:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            flat.append((f"{prefix}{key}", shown))
    return flat


def facts_table(rows: Sequence[tuple[str, object]]) -> str:
    """Names and values, one a line."""
    lines = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in rows
        if value is not None
    )
    return f'<table class="vx-facts">{lines}</table>'


def chips(words: Sequence[str], mood: str = "") -> str:
    """Short words side by side."""
    each = "".join(f'<span class="vx-chip {mood}">{escape(w)}</span>' for w in words)
    return f'<p class="vx-chips">{each}</p>'


def card(
    sign: str, title: str, mood: str, body: str, facts: Sequence[str], *, alert: bool = False
) -> str:
    """The frame of every answer; `body` is markup, the rest is text."""
    role = "alert" if alert else "status"
    foot = f'<p class="vx-foot">{escape(" · ".join(facts))}</p>' if facts else ""
    return (
        f'<div class="vx-card vx-{mood}" role="{role}"><span class="vx-sign" aria-hidden="true">'
        f"{escape(sign)}</span><div><h3>{escape(title)}</h3>{body}{foot}</div></div>"
    )


def waiting(text: str) -> str:
    """Where an answer will stand."""
    return f'<div class="vx-card vx-empty"><p>{escape(text)}</p></div>'


def threshold_of(told: Told) -> float | None:
    """What a decision asked for, where something was scored."""
    value = _threshold(told)
    return None if value is None else float(value)


def _threshold(told: Told) -> Any:
    scores = told.get("scores")
    return scores.get("threshold") if isinstance(scores, Mapping) else told.get("threshold")


def candidates_of(told: Told) -> list[Told]:
    """Whose scores a decision shows, best first."""
    scores = told.get("scores")
    found = scores.get("candidates") if isinstance(scores, Mapping) else told.get("candidates")
    return list(found or ())


def _verdict(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("reason") or value.get("verdict") or "accepted")
    return str(value)


def _member_name(member: Any, name_of: Callable[[str], str]) -> str:
    if isinstance(member, Mapping):
        return str(member.get("name") or name_of(str(member.get("id"))))
    return name_of(str(member))


def _named(compartment: Any) -> str:
    if isinstance(compartment, Mapping):
        return str(compartment.get("name") or compartment.get("id"))
    return str(compartment)


def _about(found: FieldProblem, name_of: Callable[[str], str]) -> str:
    """Whom or what a finding is about, in a person's words."""
    if found.member:
        return f"{name_of(found.member)}: "
    capture = re.fullmatch(r"captures\[(\d+)\](?:\.(\w+))?", found.field)
    if capture:
        part = f", {capture[2]}" if capture[2] else ""
        return f"Capture {int(capture[1]) + 1}{part}: "
    return f"{found.field}: " if found.field else ""


def _said(found: FieldProblem) -> str:
    """A finding in words: what names a reason by its code is told as the reason."""
    words = REASONS.get(found.code)
    if words is None or found.code not in found.problem:
        return found.problem
    return f"{words[0].upper()}{words[1:]}."


def number(value: Any) -> str:
    """A log-likelihood ratio with its sign; a dash where there is none."""
    return "–" if value is None else f"{float(value):+.2f}"


def _clock(stamp: Any) -> str:
    return moment(stamp)[-8:]


def moment(stamp: Any) -> str:
    """An instant of the API as a person reads it in a table, in UTC."""
    try:
        return datetime.fromisoformat(str(stamp)).strftime("%d %b %H:%M:%S")
    except ValueError:
        return str(stamp or "")
