// Every screen that the page has, filled with the longest words it is likely to show.

async ([name, language]) => {
  const { View } = await import("/kiosk/view.js");
  const { TEXTS, filled } = await import("/kiosk/texts.js");
  window.shown ??= new View();
  const view = window.shown;
  const { page, steps, faults } = TEXTS[language];
  const longest = Object.values(steps).reduce((a, b) => (a.length > b.length ? a : b));
  const doors = ["Dairy", "Top shelf", "Vegetables and fruit", "Drinks"];
  const answer = (outcome, headline, more = {}) => {
    view.answer({ outcome, again: "start", pin: true, doors: [], words: () => ({ headline, step: longest, done: page.finish }), ...more });
    view.ring(0.6);
  };
  const screens = {
    starting: () => view.starting(),
    setup: () => view.setup(),
    idle: () => view.idle(),
    waiting: () => view.prepare("", false),
    prepare: () => view.prepare("47102", false),
    own_pace: () => view.prepare("47102", true),
    record: () => (view.recording("47102", true), view.progress(0.5), view.level(0.6)),
    sending: () => view.sending(),
    busy: () => view.sending("waiting", { seconds: 2 }),
    granted: () => {
      answer("granted", filled(page.granted, { name: "Maximiliane Oppenheimer" }), { again: "", pin: false, doors });
      view.clock("answer-clock", "open_for", { seconds: 8 });
    },
    refused: () => answer("refused", page.refused),
    retry: () => answer("retry", page.retry),
    locked: () => {
      answer("locked", page.locked, { again: "", pin: false });
      view.clock("answer-clock", "locked_for", { time: "1 min 30 s" });
    },
    pin: () => view.pin(),
    asleep: () => view.asleep(),
  };
  for (const code of Object.keys(faults)) {
    screens[`fault_${code}`] = () => {
      view.problem({ code, reference: "req_01j9zq3v8k0000000000000000", pin: true, again: true, setup: ["key", "scope", "no_fridge"].includes(code) });
      if (code === "many_requests") view.clock("problem-clock", "retry_in", { seconds: 30 });
    };
  }
  if (name === null) return Object.keys(screens);
  view.speak(language);
  screens[name]();
  if (name === "pin") document.getElementById("pin-fault").textContent = page.pin_needs_secret;
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}
