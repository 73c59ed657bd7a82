"""How the page looks: system fonts, own colours for light and dark, nothing from outside."""

import gradio as gr
from gradio.themes.base import Base

TITLE = "visavox"


def theme() -> Base:
    """Calm, with fonts that every system has."""
    return gr.themes.Base(
        primary_hue="teal",
        secondary_hue="teal",
        neutral_hue="slate",
        radius_size="md",
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "monospace"],
    ).set(
        # The usual teal is too pale for white text on it, and for text on white.
        color_accent="*primary_700",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_text_color="white",
    )


CSS = """
.gradio-container { max-width: 1180px !important; margin: 0 auto !important;
  --vx-good: #0f766e; --vx-bad: #be123c; --vx-warn: #b45309; --vx-ink: #0f172a;
  --vx-quiet: #475569; --vx-line: #cbd5e1; --vx-paper: #ffffff; --vx-tint: #f1f5f9;
  --vx-face: #2563eb; --vx-voice: #d97706; }
.dark .gradio-container, .gradio-container.dark {
  --vx-good: #2dd4bf; --vx-bad: #fb7185; --vx-warn: #fbbf24; --vx-ink: #e2e8f0;
  --vx-quiet: #94a3b8; --vx-line: #334155; --vx-paper: #0f172a; --vx-tint: #1e293b;
  --vx-face: #60a5fa; --vx-voice: #fbbf24; --color-accent: #2dd4bf; }
footer { display: none !important; }
.gradio-container .html-container { padding: 0 !important; }
.gradio-container button { font-weight: 600; font-size: 15px; }
.vx-who h4 { margin: 14px 0 4px; } .vx-who h4:first-child { margin-top: 0; }
.vx-head { padding: 18px 2px 6px; }
.vx-head h1 { font-size: 30px; margin: 0; letter-spacing: -.02em; color: var(--vx-ink); }
.vx-head p { margin: 4px 0 0; color: var(--vx-quiet); font-size: 16px; }
.vx-head a { color: var(--vx-good); margin-right: 16px; text-decoration: underline; }
.vx-banner { border-left: 4px solid var(--vx-warn); background: var(--vx-tint);
  color: var(--vx-ink); padding: 10px 14px; border-radius: 6px; font-size: 14px; }
.vx-intro { color: var(--vx-quiet); font-size: 15px; line-height: 1.5; margin: 4px 0 10px; }
.vx-intro b { color: var(--vx-ink); }
.vx-honest { border-left: 4px solid var(--vx-bad); background: var(--vx-tint);
  color: var(--vx-ink); padding: 10px 14px; border-radius: 6px; font-size: 14px; }
.vx-card { display: flex; gap: 16px; border-style: solid; border-width: 1px 1px 1px 6px;
  border-color: var(--vx-line) var(--vx-line) var(--vx-line) var(--vx-tone); border-radius: 10px;
  padding: 14px 18px; background: var(--vx-paper); color: var(--vx-ink); }
.vx-card h3 { margin: 0 0 4px; font-size: 22px; color: var(--vx-ink); }
.vx-card p { margin: 4px 0; color: var(--vx-ink); }
.vx-sign { font-size: 30px; line-height: 1.1; width: 34px; text-align: center; }
.vx-good { --vx-tone: var(--vx-good); } .vx-bad { --vx-tone: var(--vx-bad); }
.vx-warn { --vx-tone: var(--vx-warn); } .vx-card .vx-sign { color: var(--vx-tone); }
.vx-empty { border-style: dashed; border-width: 1px; border-color: var(--vx-line); }
.vx-empty p { color: var(--vx-quiet); }
.vx-next { font-size: 17px; font-weight: 600; }
.vx-warning { color: var(--vx-warn) !important; }
.vx-foot, .vx-quiet { color: var(--vx-quiet) !important; font-size: 13px;
  overflow-wrap: anywhere; }
.vx-chips { display: flex; flex-wrap: wrap; gap: 6px; }
.vx-chip { background: var(--vx-tint); border: 1px solid var(--vx-line); border-radius: 999px;
  padding: 2px 10px; font-size: 13px; color: var(--vx-ink); }
.vx-chip.bad { border-color: var(--vx-bad); color: var(--vx-bad); }
.vx-facts { width: 100%; border-collapse: collapse; border: 0 !important; font-size: 14px; color: var(--vx-ink); }
.vx-facts th { text-align: left; font-weight: 600; padding: 5px 14px 5px 0 !important;
  color: var(--vx-quiet); vertical-align: top; white-space: nowrap; width: 1%; }
.vx-facts td { padding: 5px 0 !important; font-family: ui-monospace, Menlo, monospace; font-size: 13px;
  overflow-wrap: anywhere; }
.vx-facts th, .vx-facts td { border: 0 !important; background: none !important; }
.vx-facts tr { border-style: solid !important; border-width: 0 0 1px !important;
  border-color: var(--vx-line) !important; }
.vx-steps { list-style: none; padding: 0; margin: 8px 0; }
.vx-step { display: flex; gap: 10px; align-items: baseline; padding: 3px 0; color: var(--vx-quiet); }
.vx-step span { width: 18px; text-align: center; flex: none; } .vx-step b { flex: none; }
.vx-step i { font-style: normal; font-size: 13px; color: var(--vx-quiet); }
.vx-step-done b, .vx-step-begun b { color: var(--vx-ink); } .vx-step-done span { color: var(--vx-good); }
.vx-step-failed b, .vx-step-failed span { color: var(--vx-bad); }
.vx-figures { display: flex; flex-wrap: wrap; gap: 12px; }
.vx-figure { flex: 1 1 130px; background: var(--vx-tint); border-radius: 10px; padding: 10px 14px;
  color: var(--vx-ink); }
.vx-figure b { display: block; font-size: 22px; } .vx-figure span { font-size: 13px;
  color: var(--vx-quiet); }
.gradio-container table, .gradio-container table span { font-family: system-ui, sans-serif; }
.vx-scene { gap: 4px !important; }
.vx-digits { font: 700 34px ui-monospace, Menlo, monospace; letter-spacing: .2em;
  color: var(--vx-ink); }
.vx-chart { width: 100%; height: auto; display: block; background: var(--vx-paper); }
.vx-chart text { font-family: system-ui, sans-serif; fill: var(--vx-ink); font-size: 14px; }
.vx-chart .vx-small { fill: var(--vx-quiet); font-size: 13px; }
.vx-chart .vx-name { font-weight: 600; font-size: 14px; }
.vx-chart .vx-value { font-size: 13px; }
.vx-chart .vx-mark { font-weight: 600; fill: var(--vx-bad); }
.vx-grid { stroke: var(--vx-line); stroke-width: 1; stroke-dasharray: 2 4; }
.vx-zero, .vx-axis { stroke: var(--vx-quiet); stroke-width: 1; }
.vx-threshold { stroke: var(--vx-bad); stroke-width: 2; }
rect.vx-fused, rect.vx-member { fill: var(--vx-good); } rect.vx-face { fill: var(--vx-face); }
rect.vx-voice { fill: var(--vx-voice); } rect.vx-missed { fill: var(--vx-bad); opacity: .8; }
rect.vx-stranger { fill: var(--vx-quiet); opacity: .55; } rect.vx-let-in { fill: var(--vx-bad); }
rect.vx-unproven { fill: var(--vx-quiet); opacity: .1; }
polyline { fill: none; stroke-width: 1.6; opacity: .75; }
polyline.vx-chosen { stroke-width: 3.2; opacity: 1; }
.vx-line-fused { stroke: var(--vx-good); stroke-width: 2.4; }
.vx-line-face { stroke: var(--vx-face); stroke-width: 2.4; }
.vx-line-voice { stroke: var(--vx-voice); stroke-width: 2.4; }
.vx-here { fill: var(--vx-bad); stroke: var(--vx-paper); stroke-width: 2; }
"""
