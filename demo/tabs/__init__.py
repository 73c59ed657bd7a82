"""The tabs of the page, one module each; `build(desk)` lays one out within the page."""
