// How a visit fails. `code` is a key of the texts' `faults`.

export class Fault extends Error {
  /**
   * @param {string} code
   * @param {{retryAfter?: number|null, reference?: string, detail?: string}} more seconds until a
   *   retry makes sense, and what an admin can look up
   */
  constructor(code, { retryAfter = null, reference = "", detail = "" } = {}) {
    super(detail || code);
    this.code = code;
    this.retryAfter = retryAfter;
    this.reference = reference;
  }
}

/** The person has left: whatever was under way has no one to answer to. */
export class Left extends Error {}
