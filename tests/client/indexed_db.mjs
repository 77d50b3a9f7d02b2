// IndexedDB, as far as authsvc-binding.js uses it: what is written is there when its transaction is
// complete, and the transactions of a database run one after another.

const soon = (work) => setImmediate(work);

export class Databases {
  // Each database's saved values, by its name.
  saved = new Map();
  #last = new Map();
  // Functions (name) for the next openings and commits: one that throws makes it fail.
  openings = [];
  commits = [];

  open(name) {
    const request = {};
    soon(() => {
      try {
        this.openings.shift()?.(name);
      } catch (error) {
        request.error = error;
        return request.onerror();
      }
      let stores = [];
      request.result = {
        createObjectStore: (store) => stores.push(store),
        transaction: (store, mode, options) => this.#transaction(name, store, mode, options),
        close() {
          this.transaction = () => {
            throw new DOMException("The connection is closed.", "InvalidStateError");
          };
        },
      };
      if (!this.saved.has(name)) {
        request.onupgradeneeded();
        this.saved.set(name, new Map());
      }
      request.onsuccess();
    });
    return request;
  }

  #transaction(name) {
    const waiting = [];
    const values = { now: undefined };
    const ask = (work) => {
      const request = {};
      waiting.push(() => {
        request.result = work(values.now);
        request.onsuccess?.();
      });
      return request;
    };
    const transaction = {
      objectStore: () => ({
        get: (key) => ask((now) => structuredClone(now.get(key))),
        put: (value, key) => {
          const copy = structuredClone(value);
          return ask((now) => now.set(key, copy));
        },
        delete: (key) => ask((now) => now.delete(key)),
      }),
    };
    const run = async () => {
      await new Promise(soon);
      values.now = new Map(this.saved.get(name));
      while (waiting.length) {
        waiting.shift()();
        await new Promise(soon);
      }
      try {
        this.commits.shift()?.(name);
      } catch (error) {
        transaction.error = error;
        return transaction.onabort();
      }
      this.saved.set(name, values.now);
      transaction.oncomplete();
    };
    this.#last.set(name, Promise.resolve(this.#last.get(name)).then(run));
    return transaction;
  }
}
