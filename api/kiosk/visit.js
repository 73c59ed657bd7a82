// One person's stay at the kiosk. What they started ends with it: requests are aborted, timers
// are cleared, the microphone closes, and an answer that comes later finds nobody and opens nothing.

import { Left } from "./faults.js";

export class Visit {
  #controller = new AbortController();
  #timer = 0;
  #onEnd;

  /** @param {(visit: Visit) => void} onEnd called once, when nobody has done anything in time */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  get signal() {
    return this.#controller.signal;
  }

  get over() {
    return this.signal.aborted;
  }

  /** Ends by itself after so many seconds, counted anew at each call. */
  lasts(seconds) {
    clearTimeout(this.#timer);
    if (!this.over) this.#timer = setTimeout(() => this.#onEnd(this), seconds * 1000);
  }

  leave() {
    clearTimeout(this.#timer);
    this.#controller.abort(new Left());
  }

  /** `promise`, unless the visit is over when it settles: then Left, whatever it brought. */
  async stay(promise) {
    try {
      const value = await promise;
      this.check();
      return value;
    } catch (error) {
      this.check();
      throw error;
    }
  }

  check() {
    if (this.over) throw new Left();
  }

  wait(seconds) {
    return pause(seconds, this.signal);
  }
}

/** Resolves after so many seconds; rejects as soon as `signal` aborts. */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const gone = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", gone);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", gone, { once: true });
  });
}
