// The service over HTTP. Answers are JSON; what goes wrong is a Fault with a code of the texts.
//
// A busy service is asked again by itself, as long as somebody is likely to wait for it.

import { Fault, Left } from "./faults.js";
import { pause } from "./visit.js";
import { now, retryAfter } from "./time.js";

const TIMEOUT = 12; // seconds for one request; the service itself gives up before
const PATIENCE = 15; // seconds during which a busy service is asked again
const PROBE = 3; // seconds for the question whether anybody is there at all

const BY_STATUS = { 408: "too_slow", 504: "too_slow", 400: "invalid", 401: "key", 403: "scope", 404: "no_fridge", 413: "unreadable", 415: "unreadable", 422: "invalid" };
const BY_CODE = { challenge_refused: "challenge", capture_unreadable: "unreadable" };

export class Client {
  #key;
  #base;

  constructor(key, base = "/v1") {
    this.#key = key;
    this.#base = base;
  }

  me(signal) {
    return this.#ask("GET", "/me", { signal });
  }

  fridge(id, signal) {
    return this.#ask("GET", `/fridges/${encodeURIComponent(id)}`, { signal });
  }

  challenge(fridge, { signal, onWait }) {
    return this.#ask("POST", "/challenges", { json: { fridge }, signal, onWait });
  }

  /** @param {{fridge: string, challenge: string, clip: Blob}} asked */
  authenticate({ fridge, challenge, clip }, { signal, onWait }) {
    const body = new FormData();
    body.append("fridge", fridge);
    body.append("challenge", challenge);
    body.append("clip", clip, clip.type.startsWith("video/mp4") ? "clip.mp4" : "clip.webm");
    return this.#ask("POST", "/authentications", { body, signal, onWait });
  }

  pin({ fridge, number, pin }, { signal, onWait }) {
    return this.#ask("POST", "/pin-authentications", { json: { fridge, number, pin }, signal, onWait });
  }

  /** Does anybody answer at all? */
  async reachable(signal) {
    try {
      const answer = await fetch("/healthz", { cache: "no-store", signal: within(PROBE, signal) });
      return answer.ok;
    } catch {
      return false;
    }
  }

  async #ask(method, path, { json, body, signal, onWait = () => {} }) {
    const headers = { Authorization: `Bearer ${this.#key}`, Accept: "application/json" };
    if (json) headers["Content-Type"] = "application/json";
    const request = { method, headers, body: json ? JSON.stringify(json) : body, cache: "no-store", credentials: "omit", redirect: "error" };
    const begun = now();
    for (;;) {
      const fault = await this.#once(path, request, signal);
      if (!(fault instanceof Fault)) return fault;
      const wait = fault.retryAfter;
      if (fault.code !== "busy" || now() - begun + wait > PATIENCE) throw fault;
      onWait(wait);
      await pause(wait, signal);
    }
  }

  /** The answer with the moments it was asked for and came; or the Fault instead. */
  async #once(path, request, signal) {
    const sent = now();
    let answer;
    try {
      answer = await fetch(this.#base + path, { ...request, signal: within(TIMEOUT, signal) });
      if (answer.ok) return { ...(await answer.json()), sent, received: now() };
    } catch (error) {
      return this.#unanswered(error, signal);
    }
    return faultOf(answer);
  }

  async #unanswered(error, signal) {
    if (signal?.aborted) throw signal.reason ?? new Left();
    if (error.name === "TimeoutError") return new Fault("too_slow");
    // A service that refuses before it has read the whole body closes the line, and the browser
    // may then report no answer at all. If it answers a small question, it is only busy.
    if (await this.reachable(signal)) return new Fault("busy", { retryAfter: 1, detail: String(error) });
    return new Fault("offline", { detail: String(error) });
  }
}

async function faultOf(answer) {
  const reference = answer.headers.get("X-Request-ID") ?? "";
  const problem = await answer.json().catch(() => ({}));
  const more = { reference, detail: problem.detail ?? "" };
  const wait = retryAfter(answer.headers.get("Retry-After"), 1);
  if (answer.status === 503) return new Fault("busy", { ...more, retryAfter: wait });
  if (answer.status === 429) return new Fault("many_requests", { ...more, retryAfter: wait });
  return new Fault(BY_CODE[problem.code] ?? BY_STATUS[answer.status] ?? "broken", more);
}

const within = (seconds, signal) =>
  AbortSignal.any([AbortSignal.timeout(seconds * 1000), ...(signal ? [signal] : [])]);
