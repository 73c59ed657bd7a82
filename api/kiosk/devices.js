// Camera and microphone. The microphone is open only while somebody speaks; the camera is off
// while the kiosk rests. A recording lives in memory until it is sent, and nowhere else.

import { Fault } from "./faults.js";

const VIDEO = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24, max: 30 }, facingMode: "user" };
// Processing made for calls changes a voice; the nets are trained on plain sound.
const AUDIO = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: { ideal: 1 } };
const TYPES = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"]; // vp8 is the cheapest to make
const BITS = { videoBitsPerSecond: 2_500_000, audioBitsPerSecond: 96_000 };

export class Devices {
  #opening = null; // a promise of the stream: whoever asks twice gets the same one
  #onLost;

  /** @param {() => void} onLost called when the camera stops by itself, as when it is pulled out */
  constructor(onLost) {
    this.#onLost = onLost;
  }

  /** The camera's stream, for the preview. */
  watch() {
    if (!this.#opening) {
      const mine = this.#open();
      this.#opening = mine;
      mine.catch(() => {
        if (this.#opening === mine) this.#opening = null; // the next one asks anew
      });
    }
    return this.#opening;
  }

  async #open() {
    const camera = await opened("camera", { video: VIDEO });
    for (const track of camera.getTracks()) {
      track.addEventListener("ended", () => {
        this.rest();
        this.#onLost();
      });
    }
    return camera;
  }

  /** The camera goes off, also one that is only about to go on. */
  rest() {
    this.#opening?.then(closed, () => {});
    this.#opening = null;
  }

  /** The microphone's stream; whoever opens it closes it. */
  listen() {
    return opened("microphone", { audio: AUDIO });
  }
}

/** What a camera sees and a microphone hears, from now on. */
export class Recording {
  #recorder;
  #pieces = [];
  #ended;

  constructor(camera, microphone) {
    const tracks = [...camera.getVideoTracks(), ...microphone.getAudioTracks()];
    const type = TYPES.find((t) => globalThis.MediaRecorder?.isTypeSupported(t));
    if (!type) throw new Fault("cannot_record");
    this.#recorder = new MediaRecorder(new MediaStream(tracks), { mimeType: type, ...BITS });
    this.#recorder.addEventListener("dataavailable", ({ data }) => data.size && this.#pieces.push(data));
    this.#ended = new Promise((resolve, reject) => {
      this.#recorder.addEventListener("stop", () => resolve());
      this.#recorder.addEventListener("error", ({ error }) => reject(new Fault("unreadable", { detail: String(error) })));
    });
    this.#ended.catch(() => {}); // asked for in `clip`; a recording thrown away may fail in peace
    this.#recorder.start();
  }

  /** Ends it, and gives the clip; nothing of it is kept here. */
  async clip() {
    this.#stop();
    await this.#ended;
    const clip = new Blob(this.#pieces, { type: this.#recorder.mimeType.split(";")[0] });
    this.#pieces = [];
    if (clip.size === 0) throw new Fault("unreadable");
    return clip;
  }

  discard() {
    this.#stop();
    this.#pieces = [];
  }

  #stop() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }
}

export function closed(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

async function opened(what, wanted) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Fault("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    throw new Fault(faultOf(what, error), { detail: `${error.name}: ${error.message}` });
  }
}

/** The names are the standard's; browsers agree on them since long. */
function faultOf(what, error) {
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return `${what}_denied`;
    case "NotFoundError":
    case "OverconstrainedError":
      return `no_${what}`;
    default: // NotReadableError, AbortError: there, but somebody else has it, or it broke
      return `${what}_busy`;
  }
}
