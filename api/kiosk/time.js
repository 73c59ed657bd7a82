// Seconds that are left, and how they are shown.

/** The page's own clock in seconds. It never jumps, whatever is done to the machine's. */
export const now = () => performance.now() / 1000;

/**
 * Seconds that a decision is still good for at the moment its answer arrived. Only differences
 * are used, because the kiosk's clock may be wrong; the whole round trip is counted as gone, so
 * the page never shows a door as open that no longer is.
 */
export function remaining(decision, sent, received) {
  if (!decision.expires_at) return 0;
  const life = (Date.parse(decision.expires_at) - Date.parse(decision.at)) / 1000;
  return Math.max(0, life - (received - sent)) || 0;
}

/** 9 → "9 s", 75 → "1 min 15 s"; never "0" while something is left. */
export function shown(seconds) {
  const whole = Math.max(0, Math.ceil(seconds - 1e-6));
  if (whole < 60) return `${whole}\u00a0s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}\u00a0min ${String(whole % 60).padStart(2, "0")}\u00a0s`;
  return `${Math.floor(whole / 3600)}\u00a0h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")}\u00a0min`;
}

/** Seconds named by a Retry-After header: a number, or a date; `otherwise` where there is none. */
export function retryAfter(header, otherwise, today = Date.now()) {
  if (header === null || header.trim() === "") return otherwise;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? otherwise : Math.max(0, (date - today) / 1000);
}

/**
 * Calls `tick(left)` at once and then for every whole second that passes; `done()` at zero.
 * Returns a function that stops it.
 */
export function countdown(seconds, tick, done = () => {}) {
  const end = now() + seconds;
  let timer = 0;
  const step = () => {
    const left = end - now();
    if (left <= 0.001) {
      tick(0);
      return done();
    }
    tick(left);
    timer = setTimeout(step, Math.min(left, left % 1 || 1) * 1000 + 2);
  };
  step();
  return () => clearTimeout(timer);
}
