// First run: which key this kiosk has, which fridge it stands at, and where its lock listens.

import { Client } from "./client.js";
import { Fault } from "./faults.js";
import * as settings from "./settings.js";
import { TEXTS } from "./texts.js";

const find = (id) => document.getElementById(id);

/**
 * The fridge of `wanted`, as the service knows it. Fault where the key is wrong, of another role,
 * or not for it; with `choice` where there are several and none was named.
 */
export async function connected({ key, fridge }, signal) {
  const client = new Client(key);
  const me = await client.me(signal);
  if (me.role !== "kiosk") throw new Fault("scope", { detail: "setup_wrong_role" });
  const named = fridge || (me.fridges?.length === 1 ? me.fridges[0] : "");
  if (!named) throw Object.assign(new Fault("scope", { detail: me.fridges ? "setup_choose" : "setup_type" }), { choice: me.fridges ?? [] });
  return { client, fridge: await client.fridge(named, signal) };
}

export class Setup {
  #view;

  /** @param {(wanted: settings.Settings, found: object) => void} onDone called once all is right */
  constructor(view, onDone) {
    this.#view = view;
    find("setup-form").addEventListener("submit", async (event) => {
      event.preventDefault();
      const wanted = this.#wanted();
      const problem = this.#problem(wanted);
      if (problem) return this.#complain(problem);
      try {
        onDone(wanted, await connected(wanted));
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.refuse(error);
      }
    });
  }

  show(fault = null) {
    const kept = settings.read();
    find("setup-key").value = "";
    find("setup-lock").value = kept.lock;
    find("setup-forget").hidden = kept.key === "";
    find("setup-fault").textContent = "";
    this.#view.setup();
    if (fault) this.refuse(fault);
  }

  /** Why it is not done yet; a key for several fridges asks which. */
  refuse(fault) {
    if (fault.choice) this.#offer(fault.choice);
    const { page, faults } = TEXTS[this.#view.language];
    this.#complain(page[fault.message] ?? faults[fault.code].join(". "));
  }

  #offer(fridges) {
    const list = find("setup-fridge");
    list.replaceChildren(...fridges.map((id) => new Option(id, id)));
    find("setup-fridge-row").hidden = fridges.length === 0;
    find("setup-fridge-typed-row").hidden = fridges.length > 0;
    (fridges.length > 0 ? list : find("setup-fridge-typed")).focus();
  }

  #wanted() {
    const chosen = find("setup-fridge-row").hidden ? "" : find("setup-fridge").value;
    const typed = find("setup-fridge-typed-row").hidden ? "" : find("setup-fridge-typed").value.trim();
    return { key: find("setup-key").value.trim() || settings.read().key, fridge: chosen || typed, lock: find("setup-lock").value.trim() };
  }

  #problem({ key, fridge, lock }) {
    const { page } = TEXTS[this.#view.language];
    if (!settings.isKey(key)) return page.setup_needs_key;
    if (!find("setup-fridge-typed-row").hidden && !fridge) return page.setup_needs_fridge;
    if (lock && !settings.isLoopback(lock)) return page.setup_needs_loopback;
    return "";
  }

  #complain(text) {
    find("setup-fault").textContent = text;
  }
}
