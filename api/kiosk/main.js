// Ties the page's buttons and the browser's events to the kiosk.

import { Devices } from "./devices.js";
import { Kiosk } from "./kiosk.js";
import { Pad } from "./pad.js";
import { Setup } from "./setup.js";
import { View } from "./view.js";

const view = new View();
const kiosk = new Kiosk(view, new Devices(() => kiosk.changed()));
kiosk.furnish({
  setup: new Setup(view, (wanted, found) => kiosk.settle(wanted, found)),
  pad: new Pad(view, (number, pin) => kiosk.enter(number, pin), () => kiosk.touched()),
});

const ACTS = {
  start: () => kiosk.start(),
  speak: () => kiosk.speak(),
  pin: () => kiosk.pin(),
  leave: () => kiosk.leave(),
  wake: () => kiosk.wake(),
  setup: () => kiosk.setup(),
  forget: () => kiosk.forget(),
  language: (button) => view.speak(button.dataset.language),
};

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-act]");
  if (button) ACTS[button.dataset.act](button);
});
document.addEventListener("pointerdown", () => kiosk.touched());
document.addEventListener("keydown", (event) => {
  kiosk.touched();
  if (event.key === "Escape") kiosk.leave();
});
document.addEventListener("visibilitychange", () => (document.hidden ? kiosk.hide() : kiosk.wake()));
window.addEventListener("hashchange", () => kiosk.begin());
navigator.mediaDevices?.addEventListener("devicechange", () => kiosk.changed());

view.speak(navigator.language);
kiosk.begin();
