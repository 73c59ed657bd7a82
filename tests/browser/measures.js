// What is wrong with the screen that is shown, measured; an empty list is what the tests want.

({
  // Contrast of every piece of text with what is behind it, as WCAG reckons it.
  contrast(least) {
    const parsed = (colour) => {
      const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
      return { r, g, b, a };
    };
    const over = (top, under) => ({
      r: top.r * top.a + under.r * (1 - top.a),
      g: top.g * top.a + under.g * (1 - top.a),
      b: top.b * top.a + under.b * (1 - top.a),
      a: 1,
    });
    const luminance = ({ r, g, b }) => {
      const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ratio = (one, other) => {
      const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    };
    const behind = (element) => {
      const layers = [];
      for (let at = element; at; at = at.parentElement) {
        const ground = parsed(getComputedStyle(at).backgroundColor);
        if (ground.a > 0) layers.push(ground);
        if (ground.a === 1) break;
      }
      if (layers.length === 0 || layers.at(-1).a < 1) return null;
      return layers.reduceRight((under, top) => over(top, under));
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !element.checkVisibility() || element.closest(".unseen, noscript, option")) continue;
      const ground = behind(element);
      const ink = parsed(getComputedStyle(element).color);
      if (ink.a === 0) continue; // digits that have not come yet
      if (!ground) found.push(`${node.data.trim()}: nothing solid behind it`);
      else if (ratio(over(ink, ground), ground) < least) found.push(`${node.data.trim()}: ${ratio(over(ink, ground), ground).toFixed(2)}`);
    }
    // What marks a field or a second button is no text: 3 is enough.
    for (const element of document.querySelectorAll("input:not([type=checkbox]), select, .second, .track")) {
      if (!element.checkVisibility()) continue;
      const ground = behind(element.parentElement);
      const edge = parsed(getComputedStyle(element).borderTopColor);
      if (ratio(edge, ground) < 3) found.push(`edge of ${element.id || element.textContent}: ${ratio(edge, ground).toFixed(2)}`);
    }
    return found;
  },

  // Everything fits on the screen, and what is touched is large enough.
  room(least) {
    const found = [];
    const page = document.scrollingElement;
    if (page.scrollWidth > innerWidth) found.push(`scrolls sideways: ${page.scrollWidth} > ${innerWidth}`);
    if (page.scrollHeight > innerHeight) found.push(`scrolls down: ${page.scrollHeight} > ${innerHeight}`);
    for (const element of document.querySelectorAll("button, input:not([type=checkbox]), select, summary, .switch")) {
      if (!element.checkVisibility()) continue;
      const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
      const name = element.id || element.textContent.trim() || element.getAttribute("aria-label");
      if (width < least || height < least) found.push(`${name}: ${width.toFixed(0)}×${height.toFixed(0)}`);
      if (left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5) found.push(`${name}: outside of the screen`);
    }
    for (const element of document.querySelectorAll("h1, p, li, button, label, .digits")) {
      if (!element.checkVisibility() || element.closest(".unseen, .bar-name")) continue;
      if (element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== "inline") {
        found.push(`${element.textContent.trim()}: cut off`);
      }
    }
    const bar = document.querySelector(".bar").getBoundingClientRect();
    const screen = document.querySelector(".screen:not([hidden])").getBoundingClientRect();
    if (screen.top < bar.bottom - 1) found.push("the screen runs under the bar");
    return found;
  },

  // Names, roles and references, as somebody who hears the page needs them.
  names() {
    const found = [];
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`${id} twice`);
    for (const element of document.querySelectorAll("[aria-describedby], [aria-labelledby], label[for]")) {
      const named = element.getAttribute("aria-describedby") ?? element.getAttribute("aria-labelledby") ?? element.htmlFor;
      for (const id of named.split(" ")) if (!document.getElementById(id)) found.push(`${id} is named and not there`);
    }
    for (const element of document.querySelectorAll("button, input, select, a, [role]")) {
      if (!element.checkVisibility() || element.matches("[role=status], [role=alert], [role=timer]")) continue;
      const name = element.getAttribute("aria-label") || [...(element.labels ?? [])].map((l) => l.textContent).join("") || element.textContent;
      if (!name.trim()) found.push(`${element.outerHTML} has no name`);
    }
    const headings = [...document.querySelectorAll("h1")].filter((h) => h.checkVisibility());
    if (headings.length !== 1 || !headings[0].textContent.trim()) found.push(`${headings.length} headings`);
    if (document.querySelectorAll("main, header").length !== 2) found.push("landmarks");
    if (document.querySelector('[tabindex]:not([tabindex="-1"]):not([tabindex="0"])')) found.push("an order of its own");
    for (const drawn of document.querySelectorAll("svg, video")) {
      if (!drawn.closest('[aria-hidden="true"]')) found.push(`${drawn.outerHTML.slice(0, 60)} is read aloud`);
    }
    if (!document.querySelector('#said[role="status"][aria-live="polite"]')) found.push("nothing is said");
    for (const silent of document.querySelectorAll("[data-text]")) if (!silent.textContent.trim()) found.push(`${silent.dataset.text} is empty`);
    return found;
  },
})
