// Hands an opening ticket to the lock controller of this machine, which checks it by itself.

import { Fault } from "./faults.js";

const TIMEOUT = 3; // seconds: a lock that takes longer is no lock

/** Resolves when the lock has taken the ticket; Fault "lock" when it did not. */
export async function open(address, ticket, signal) {
  let answer;
  try {
    answer = await fetch(address, {
      method: "POST",
      body: ticket, // plain text, as the lock reads it
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT * 1000), signal]),
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new Fault("lock", { detail: String(error) });
  }
  if (!answer.ok) throw new Fault("lock", { detail: `The lock answered ${answer.status}.` });
}
