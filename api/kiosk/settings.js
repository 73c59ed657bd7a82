// What this kiosk was told once and keeps: its key, its fridge, and its lock's address.

const NAME = "visavox.kiosk";
const KEY = /^vx_[A-Za-z0-9]+_[A-Za-z0-9_-]+$/;
const LOOPBACK = ["127.0.0.1", "localhost"]; // as the page's Content-Security-Policy has it

/** @typedef {{key: string, fridge: string, lock: string}} Settings */

/** @returns {Settings} empty strings for what was never set */
export function read(storage = localStorage) {
  try {
    const { key = "", fridge = "", lock = "" } = JSON.parse(storage.getItem(NAME) ?? "{}") ?? {};
    return { key: String(key), fridge: String(fridge), lock: isLoopback(String(lock)) ? String(lock) : "" };
  } catch {
    return { key: "", fridge: "", lock: "" };  // not ours, or storage is forbidden: set up anew
  }
}

export function keep(settings, storage = localStorage) {
  try {
    storage.setItem(NAME, JSON.stringify(settings));
  } catch {
    // Storage is full or forbidden: the kiosk works until the page is loaded again.
  }
}

export function forget(storage = localStorage) {
  try {
    storage.removeItem(NAME);
  } catch {
    // As above: there is nothing to forget.
  }
}

export const isKey = (text) => KEY.test(text);

/** A ticket opens a door: it goes to a lock on this very machine and nowhere else. */
export function isLoopback(address) {
  try {
    const url = new URL(address);
    return url.protocol === "http:" && LOOPBACK.includes(url.hostname) && !url.username;
  } catch {
    return false;
  }
}

/**
 * Settings in the address: `#key=…&fridge=…&lock=…`, and `#setup` for the set-up screen.
 * They are taken out of the address, and of its history entry, before anything else happens.
 */
export function fromAddress(place = location, past = history) {
  const words = new URLSearchParams(place.hash.replace(/^#/, ""));
  if (place.hash) past.replaceState(null, "", place.pathname + place.search);
  const given = {};
  for (const name of ["key", "fridge", "lock"]) if (words.has(name)) given[name] = words.get(name).trim();
  if (given.key !== undefined && !isKey(given.key)) delete given.key;
  if (given.lock && !isLoopback(given.lock)) delete given.lock;
  return { given, setup: words.has("setup") };
}
