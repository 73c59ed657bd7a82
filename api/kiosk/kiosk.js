// The way of a visit: idle → digits → recording → sending → answer → idle. Written down here once.

import { Recording, closed } from "./devices.js";
import { Fault, Left } from "./faults.js";
import { follow } from "./level.js";
import * as lock from "./lock.js";
import * as settings from "./settings.js";
import { connected } from "./setup.js";
import { TEXTS, filled, stepOf } from "./texts.js";
import { countdown, now, remaining, shown } from "./time.js";
import { Visit, pause } from "./visit.js";

// Seconds.
const READY = 1.4; // between the digits and the recording
const SPEAK = 3.2; // a recording
const SPEAK_LONGEST = 8; // at one's own pace
const STAY = 45; // without a touch, before the answer: then the person has left
const SEND = 20; // for sending and waiting, all tries together
const TYPE = 30; // at the PIN pad without a key
const READ = 12; // an answer that opens nothing
const CLOSED = 2.5; // after the door has closed
const LOCKED = 30; // the notice of a lock; the lock itself may last longer
const REST = 90; // idle without a touch: then the camera goes off
const OFFLINE = 3; // between two looks whether the service is back

const STAYS = new Set(["no_camera", "camera_denied", "camera_busy", "insecure", "key", "scope", "no_fridge"]);
const NEEDS_ADMIN = new Set(["key", "scope", "no_fridge"]);

export class Kiosk {
  #view;
  #devices;
  #setup;
  #pad;
  #client = null;
  #fridge = null;
  #lock = "";
  #visit = null;
  #press = () => {};

  constructor(view, devices) {
    this.#view = view;
    this.#devices = devices;
  }

  /** The forms are made with the kiosk's own methods, so they come second. */
  furnish({ setup, pad }) {
    this.#setup = setup;
    this.#pad = pad;
  }

  // ── Beginning ──────────────────────────────────────────────────────────────────────────────

  async begin() {
    const { given, setup } = settings.fromAddress();
    const kept = settings.read();
    const moved = given.key !== undefined && given.key !== kept.key; // another key, another fridge
    const wanted = { ...kept, ...(moved ? { fridge: "" } : {}), ...given };
    const visit = this.#arrive();
    if (setup || !wanted.key) return this.#setup.show();
    this.#view.starting();
    try {
      this.settle(wanted, await visit.stay(connected(wanted, visit.signal)));
    } catch (error) {
      if (error.choice) this.#setup.show(error);
      else this.#fail(visit, error);
    }
  }

  /** The kiosk knows its place: keep it, and be there for people. */
  settle(wanted, { client, fridge }) {
    settings.keep({ ...wanted, fridge: fridge.id });
    this.#client = client;
    this.#fridge = fridge;
    this.#lock = wanted.lock;
    this.#view.name(fridge.name);
    this.#view.speak(fridge.locale);
    this.idle();
  }

  forget() {
    settings.forget();
    this.#client = this.#fridge = null;
    this.#arrive();
    this.#setup.show();
  }

  setup() {
    this.#arrive();
    this.#devices.rest();
    this.#setup.show();
  }

  // ── Between visits ─────────────────────────────────────────────────────────────────────────

  /** Ready for the next person. Whoever was here before is forgotten. */
  async idle() {
    const visit = this.#arrive();
    if (!this.#client) return this.begin();
    this.#pad.clear();
    try {
      this.#view.preview(await visit.stay(this.#devices.watch()));
      this.#view.idle();
      visit.lasts(REST);
    } catch (error) {
      this.#fail(visit, error);
    }
  }

  /** Nobody has come for a while: no camera films an empty room. */
  #rest() {
    this.#arrive();
    this.#devices.rest();
    this.#view.preview(null);
    if (this.#fridge) this.#view.speak(this.#fridge.locale);
    this.#view.asleep();
  }

  /** The page is not looked at any more. */
  hide() {
    if (!["setup", "starting"].includes(document.body.dataset.screen)) this.#rest();
  }

  wake() {
    if (document.body.dataset.screen === "asleep") this.idle();
  }

  /** The camera was pulled out, or a device was plugged in. */
  changed() {
    if (["idle", "problem"].includes(document.body.dataset.screen) && this.#client) this.idle();
  }

  /** Somebody is there: an idle kiosk stays awake, a visit goes on. */
  touched() {
    const screen = document.body.dataset.screen;
    if (screen === "idle") this.#visit?.lasts(REST);
    if (screen === "pin") this.#visit?.lasts(TYPE);
  }

  leave() {
    if (["setup", "starting", "asleep"].includes(document.body.dataset.screen)) return;
    this.#done();
  }

  #done() {
    if (this.#fridge) this.#view.speak(this.#fridge.locale);
    this.idle();
  }

  // ── A visit ────────────────────────────────────────────────────────────────────────────────

  /** By face and voice. */
  async start() {
    const ownPace = this.#view.ownPace;
    const visit = this.#arrive();
    visit.lasts(STAY);
    let opening = null;
    let recording = null;
    let unfollow = () => {};
    try {
      this.#view.prepare("", ownPace);
      opening = this.#devices.listen();
      const [challenge, microphone, camera] = await visit.stay(
        Promise.all([this.#client.challenge(this.#fridge.id, this.#asking(visit)), opening, this.#devices.watch()]),
      );
      this.#view.preview(camera);
      this.#view.prepare(challenge.digits, ownPace);
      await visit.stay(ownPace ? this.#pressed() : visit.wait(READY));

      recording = new Recording(camera, microphone);
      unfollow = follow(microphone, (loudness) => this.#view.level(loudness));
      this.#view.recording(challenge.digits, ownPace);
      await visit.stay(this.#spoken(visit, ownPace));

      const clip = await visit.stay(recording.clip());
      this.#view.sending();
      visit.lasts(SEND);
      const asked = { fridge: this.#fridge.id, challenge: challenge.id, clip };
      opening.then(closed); // the microphone is off while the answer is awaited
      await this.#answer(visit, await visit.stay(this.#client.authenticate(asked, this.#asking(visit))));
    } catch (error) {
      this.#fail(visit, error);
    } finally {
      unfollow();
      recording?.discard();
      opening?.then(closed, () => {}); // also one that opens only after the person has left
    }
  }

  /** The button of one's own pace. */
  speak() {
    this.#press();
  }

  #pressed() {
    return new Promise((resolve) => (this.#press = resolve));
  }

  async #spoken(visit, ownPace) {
    const longest = ownPace ? SPEAK_LONGEST : SPEAK;
    const begun = now();
    let pressed = false;
    if (ownPace) this.#pressed().then(() => (pressed = true));
    while (now() - begun < longest && !pressed) {
      this.#view.progress((now() - begun) / longest);
      await visit.wait(0.05);
    }
    this.#view.progress(1);
  }

  /** By number and PIN. */
  pin() {
    const visit = this.#arrive();
    this.#pad.clear();
    this.#view.pin();
    visit.lasts(TYPE);
  }

  async enter(number, pin) {
    const visit = this.#visit;
    this.#view.sending();
    visit.lasts(SEND);
    try {
      const asked = { fridge: this.#fridge.id, number, pin };
      await this.#answer(visit, await visit.stay(this.#client.pin(asked, this.#asking(visit))));
    } catch (error) {
      this.#fail(visit, error);
    }
  }

  #asking(visit) {
    return {
      signal: visit.signal,
      onWait: (seconds) => visit.over || this.#view.sending("waiting", { seconds: Math.ceil(seconds) }),
    };
  }

  async #answer(visit, decision) {
    if (decision.outcome === "granted") return this.#granted(visit, decision);
    const locked = decision.outcome === "locked";
    const byPin = decision.method === "pin";
    this.#view.answer({
      outcome: decision.outcome,
      again: locked ? "" : byPin ? "pin" : "start",
      pin: !locked && !byPin,
      doors: [],
      words: (texts) => ({
        headline: texts.page[decision.outcome === "refused" && byPin ? "refused_pin" : decision.outcome],
        step: stepOf(decision, this.#view.language),
        done: texts.page.finish,
      }),
    });
    const wait = decision.retry_after_s;
    if (locked && wait === null) this.#view.clock("answer-clock", "locked_by_admin");
    const stays = locked && wait !== null ? Math.min(wait, LOCKED) : READ;
    this.#count(visit, locked ? (wait ?? stays) : stays, (left, share) => {
      this.#view.ring(share);
      if (locked && wait !== null) this.#view.clock("answer-clock", "locked_for", { time: shown(left) });
    });
    visit.lasts(stays);
  }

  async #granted(visit, decision) {
    const { received } = decision;
    const life = remaining(decision, decision.sent, received);
    if (life <= 0) throw new Fault("too_slow");
    if (this.#lock && decision.ticket) {
      this.#view.sending("opening");
      await visit.stay(lock.open(this.#lock, decision.ticket, visit.signal));
    }
    const name = decision.member?.name;
    this.#view.speak(decision.member?.locale);
    this.#view.answer({
      outcome: "granted",
      again: "",
      pin: false,
      doors: decision.compartments.map((compartment) => compartment.name),
      words: ({ page }) => ({
        headline: name ? filled(page.granted, { name }) : page.granted_nobody,
        step: stepOf(decision, this.#view.language),
        done: page.finish,
      }),
    });
    const left = life - (now() - received);
    visit.lasts(left + CLOSED);
    this.#count(visit, left, (rest) => {
      this.#view.ring(rest / life);
      if (rest > 0) return this.#view.clock("answer-clock", "open_for", { seconds: Math.ceil(rest) });
      this.#view.clock("answer-clock", "open_over");
      this.#view.say(TEXTS[this.#view.language].page.open_over);
    });
  }

  /** A countdown that ends with the visit. */
  #count(visit, seconds, tick) {
    const stop = countdown(seconds, (left) => tick(left, left / seconds));
    visit.signal.addEventListener("abort", stop, { once: true });
  }

  #fail(visit, error) {
    if (visit.over || error instanceof Left) return;
    const fault = error instanceof Fault ? error : new Fault("broken", { detail: String(error) });
    if (!(error instanceof Fault)) console.error(error);
    const admin = NEEDS_ADMIN.has(fault.code);
    const pin = this.#client !== null && !admin && fault.code !== "offline";
    this.#view.problem({ ...fault, code: fault.code, pin, again: fault.code !== "many_requests", setup: admin });
    if (fault.code === "offline") return this.#await(visit);
    if (fault.code === "many_requests") {
      const wait = fault.retryAfter;
      visit.lasts(wait);
      return this.#count(visit, wait, (left) => this.#view.clock("problem-clock", "retry_in", { seconds: Math.ceil(left) }));
    }
    if (!STAYS.has(fault.code)) visit.lasts(READ);
  }

  /** Offline: look every few seconds whether the service is back. */
  async #await(visit) {
    const client = this.#client ?? new (await import("./client.js")).Client("");
    try {
      do await pause(OFFLINE, visit.signal);
      while (!(await client.reachable(visit.signal)));
      visit.check();
    } catch {
      return; // somebody pressed a button meanwhile
    }
    this.#done();
  }

  /** A new visit; the one before is over, and with it all that it had started. */
  #arrive() {
    this.#visit?.leave();
    this.#press = () => {};
    this.#visit = new Visit((visit) => {
      if (visit !== this.#visit) return;
      if (document.body.dataset.screen === "idle") this.#rest();
      else this.#done();
    });
    return this.#visit;
  }
}
