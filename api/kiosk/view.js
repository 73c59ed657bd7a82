// What is on the screen. It is told what to show and knows nothing of why.
//
// Each screen is filled by a function of the texts, kept as long as the screen is shown, so that
// another language can be put on at any moment; with the next screen it is forgotten, and with it
// every word about a person.

import { TEXTS, filled, spoken } from "./texts.js";

const SIGNS = { offline: "offline", no_camera: "camera", camera_denied: "camera", camera_busy: "camera" };

const find = (id) => document.getElementById(id);
const write = (id, text) => {
  const element = find(id);
  if (element.textContent !== text) element.textContent = text;
};

export class View {
  #language = "en";
  #fill = () => {};
  #lights = [...find("level").children];

  get language() {
    return this.#language;
  }

  get ownPace() {
    return find("own-pace").checked;
  }

  /** Puts all texts in this language, also those of the screen that is shown. */
  speak(tag) {
    this.#language = spoken(tag, this.#language);
    const { page } = TEXTS[this.#language];
    document.documentElement.lang = this.#language;
    for (const element of document.querySelectorAll("[data-text]")) element.textContent = page[element.dataset.text];
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", page[element.dataset.label]);
    for (const button of document.querySelectorAll("[data-language]")) {
      button.setAttribute("aria-pressed", String(button.dataset.language === this.#language));
    }
    this.#fill(TEXTS[this.#language]);
  }

  name(fridge) {
    write("fridge-name", fridge);
    document.title = `${fridge} · visavox`;
  }

  /** Says it to who cannot see the screen. */
  say(text) {
    const region = find("said");
    region.textContent = "";
    requestAnimationFrame(() => (region.textContent = text)); // a change is read, a repeat is not
  }

  preview(stream) {
    const video = find("preview");
    if (video.srcObject !== stream) video.srcObject = stream;
    if (stream) video.play().catch(() => {}); // it goes on by itself as soon as it may
  }

  starting() {
    this.#show("starting", { stage: "off" });
  }

  idle() {
    find("own-pace").disabled = false;
    this.#show("idle", { stage: "on", fill: ({ page }) => write("stage-note", page.guide) });
  }

  asleep() {
    find("own-pace").checked = false;
    this.#show("asleep", { stage: "off" });
  }

  /** The digits are on their way, or here. At one's own pace a button says when. */
  prepare(digits, ownPace) {
    const fill = ({ page }) => {
      write("h-listen", page.prepare);
      write("listen-lead", ownPace ? page.prepare_own_lead : page.prepare_lead);
      this.#digits(digits, page);
      write("speak", page.ready);
      write("stage-note", page.guide);
    };
    this.#listen("prepare", fill, { speak: ownPace && digits !== "" });
    this.progress(0);
    this.level(0);
    if (digits) this.say(filled(TEXTS[this.#language].page.digits, { digits: [...digits].join(", ") }));
  }

  recording(digits, ownPace) {
    const fill = ({ page }) => {
      write("h-listen", page.speak);
      write("listen-lead", ownPace ? page.speak_own_lead : page.speak_lead);
      this.#digits(digits, page);
      write("speak", page.spoken);
    };
    this.#listen("record", fill, { speak: ownPace });
  }

  #listen(part, fill, { speak }) {
    find("speak").hidden = !speak;
    this.#show("listen", { stage: part === "record" ? "live" : "on", fill, focus: speak ? "speak" : "h-listen" });
  }

  #digits(digits, page) {
    const place = find("digits");
    place.setAttribute("aria-label", filled(page.digits, { digits: [...digits].join(" ") }));
    place.replaceChildren(...[...(digits || "·····")].map((digit) => Object.assign(document.createElement("span"), { textContent: digit })));
    place.classList.toggle("pending", digits === "");
  }

  progress(share) {
    find("progress-fill").style.setProperty("--share", String(Math.min(1, share)));
  }

  level(loudness) {
    const lit = Math.round(loudness * this.#lights.length);
    this.#lights.forEach((light, i) => light.classList.toggle("lit", i < lit));
  }

  /** @param {string} key a text of the page */
  sending(key = "sending_lead", words = {}) {
    this.#show("sending", { stage: "still", fill: ({ page }) => write("sending-lead", filled(page[key], words)) });
    this.say(filled(TEXTS[this.#language].page[key], words));
  }

  /**
   * @param {{outcome: string, again: "start"|"pin"|"", pin: boolean, doors: string[],
   *   words: (texts: object) => {headline: string, step: string, done: string}}} answer what
   *   another try is, if any; whether a PIN is offered beside it
   */
  answer({ outcome, again, pin, doors, words }) {
    find("answer-sign").setAttribute("href", `#i-${outcome}`);
    find("doors").replaceChildren(...doors.map((name) => Object.assign(document.createElement("li"), { textContent: name })));
    find("doors").hidden = doors.length === 0;
    find("again").hidden = again === "";
    find("again").dataset.act = again;
    find("answer-pin").hidden = !pin;
    this.clock("answer-clock", "");
    this.ring(1);
    const fill = (texts) => {
      const { headline, step, done } = words(texts);
      write("h-answer", headline);
      write("answer-step", step);
      write("done", done);
    };
    this.#show("answer", { stage: "off", tone: outcome, fill });
    const texts = TEXTS[this.#language];
    const open = doors.length > 0 ? ` ${texts.page.doors}: ${doors.join(", ")}.` : "";
    this.say(`${words(texts).step}${open}`);
  }

  /** @param {"answer-clock"|"problem-clock"} id */
  clock(id, key, words = {}) {
    write(id, key ? filled(TEXTS[this.#language].page[key], words) : "");
  }

  /** The share of the time that is left. */
  ring(share) {
    find("ring").style.setProperty("--left", String(Math.max(0, Math.min(1, share)) * 100));
  }

  pin() {
    this.#show("pin", { stage: "off" });
  }

  problem({ code, reference, pin, again, setup }) {
    find("problem-sign").setAttribute("href", `#i-${SIGNS[code] ?? "problem"}`);
    find("problem-pin").hidden = !pin;
    find("problem-again").hidden = !again;
    find("problem-setup").hidden = !setup;
    this.clock("problem-clock", "");
    const fill = ({ page, faults }) => {
      const [headline, advice] = faults[code];
      write("h-problem", headline);
      write("problem-step", advice);
      write("problem-note", reference ? filled(page.reference, { id: reference }) : "");
    };
    this.#show("problem", { stage: "off", tone: "problem", fill });
    this.say(TEXTS[this.#language].faults[code][1]);
  }

  setup() {
    this.#show("setup", { stage: "off", focus: "setup-key" });
  }

  #show(name, { stage, tone = "", fill = () => {}, focus = "" }) {
    const changed = document.body.dataset.screen !== name;
    this.#fill = fill;
    fill(TEXTS[this.#language]);
    for (const screen of document.querySelectorAll(".screen")) screen.hidden = screen.id !== `screen-${name}`;
    this.#wipe(name);
    Object.assign(document.body.dataset, { screen: name, stage, tone });
    const target = focus ? find(focus) : (document.querySelector(`#screen-${name} [data-focus]`) ?? find(`h-${name}`));
    if (changed || focus) target.focus({ preventScroll: true });
  }

  /** Nothing of an answer, and no digits, stay in the page after they were shown. */
  #wipe(shown) {
    if (shown !== "answer") {
      for (const id of ["h-answer", "answer-step", "answer-clock", "done"]) write(id, "");
      find("doors").replaceChildren();
    }
    if (shown !== "listen") {
      find("digits").replaceChildren();
      find("digits").removeAttribute("aria-label");
    }
    if (shown === "idle") find("said").textContent = "";
  }
}
