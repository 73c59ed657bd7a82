// The number and the PIN: by the keys on the screen, or by those of a keyboard.

import { TEXTS, filled } from "./texts.js";

const PIN = /^\d{6,12}$/;
const NUMBER = /^\d{1,12}$/;

export class Pad {
  #number = document.getElementById("pin-number");
  #secret = document.getElementById("pin-secret");
  #fault = document.getElementById("pin-fault");
  #field = this.#number;
  #view;

  /**
   * @param {(number: string, pin: string) => void} onOpen
   * @param {() => void} onTouch called whenever somebody types
   */
  constructor(view, onOpen, onTouch) {
    this.#view = view;
    for (const field of [this.#number, this.#secret]) {
      field.addEventListener("focus", () => {
        this.#field = field;
        this.#mark();
      });
      field.addEventListener("input", () => {
        field.value = field.value.replace(/\D/g, "");
        this.#complain("");
        onTouch();
      });
    }
    document.getElementById("keys").addEventListener("click", (event) => {
      const key = event.target.closest("button")?.dataset.key;
      if (key === undefined) return;
      this.#press(key);
      onTouch();
    });
    document.getElementById("pin-form").addEventListener("submit", (event) => {
      event.preventDefault();
      onTouch();
      this.#submit(onOpen);
    });
  }

  clear() {
    this.#number.value = "";
    this.#secret.value = "";
    this.#complain("");
    this.#field = this.#number;
    this.#mark();
  }

  #press(key) {
    const field = this.#field;
    if (key === "next") {
      this.#field = field === this.#number ? this.#secret : this.#number;
      this.#field.focus();
      return;
    }
    if (key === "erase") field.value = field.value.slice(0, -1);
    else if (field.value.length < field.maxLength) field.value += key;
    this.#complain("");
    this.#mark();
    this.#view.say(filled(TEXTS[this.#view.language].page.typed, { count: field.value.length }));
  }

  /** The field that the keys write to stays marked while the focus is on a key. */
  #mark() {
    for (const field of [this.#number, this.#secret]) field.classList.toggle("current", field === this.#field);
  }

  #submit(onOpen) {
    const { page } = TEXTS[this.#view.language];
    const number = this.#number.value;
    const pin = this.#secret.value;
    if (!NUMBER.test(number)) return this.#complain(page.pin_needs_number, this.#number);
    if (pin === "") return this.#secret.focus();
    if (!PIN.test(pin)) return this.#complain(page.pin_needs_secret, this.#secret);
    this.clear();
    onOpen(number, pin);
  }

  #complain(text, field = null) {
    this.#fault.textContent = text;
    for (const each of [this.#number, this.#secret]) {
      if (each === field) each.setAttribute("aria-invalid", "true");
      else each.removeAttribute("aria-invalid");
    }
    field?.focus();
  }
}
