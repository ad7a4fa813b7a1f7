/** Decisions on their way to the disk: in order, again until the server says that they are saved. */

import { post } from "./api.js";

const WAITS = [500, 1000, 2000, 4000];
/** Where the server answers that it cannot save, which takes somebody to mend. */
const LONG_WAITS = [5000, 15_000, 30_000];

/** 32 hexadecimal digits, by which the server knows a request that is sent again. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Saves {
  /** `told` is called with this whenever anything changes. */
  constructor(told) {
    this.told = told;
    this.waiting = [];
    this.idle = [];
    this.failures = 0;
    this.reason = "";
    this.wait = 0;
    this.busy = false;
    addEventListener("beforeunload", (event) => {
      if (this.waiting.length) event.preventDefault();
    });
  }

  /** Send something after all that waits; `done` has the answer, `refused` the server's no. */
  send(path, body, done, refused) {
    this.waiting.push({ path, body: { ...body, id: newId() }, done, refused });
    this.told(this);
    if (!this.busy) this.run();
  }

  /** A promise of the moment when nothing waits. */
  settled() {
    if (!this.waiting.length) return Promise.resolve();
    return new Promise((idle) => this.idle.push(idle));
  }

  async run() {
    this.busy = true;
    while (this.waiting.length) {
      const next = this.waiting[0];
      try {
        const answer = await post(next.path, next.body);
        this.waiting.shift();
        this.failures = 0;
        next.done(answer);
      } catch (error) {
        if (error.status >= 400 && error.status < 500) {
          this.waiting.shift();
          next.refused(error);
        } else {
          const waits = error.status ? LONG_WAITS : WAITS;
          this.reason = error.status ? error.message : "the server does not answer";
          this.failures += 1;
          this.wait = waits[Math.min(this.failures, waits.length) - 1];
          this.told(this);
          await this.pause(this.wait);
        }
      }
      this.told(this);
    }
    this.busy = false;
    this.idle.splice(0).forEach((idle) => idle());
  }

  /** Wait, or go on at once when `retry` is called. */
  pause(wait) {
    return new Promise((go) => {
      const timer = setTimeout(go, wait);
      this.retry = () => {
        clearTimeout(timer);
        go();
      };
    });
  }
}
