// Requests to the server, and the one stream of the page.

const API = '/api/v1/';

/** An answer that is no success. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(path, options = {}) {
  let answer;
  try {
    answer = await fetch(API + path, { credentials: 'same-origin', ...options });
  } catch {
    throw new ApiError(0, 'the server does not answer');
  }
  if (answer.status === 401 && path !== 'session') {
    dispatchEvent(new CustomEvent('signed-out'));
  }
  if (!answer.ok) throw new ApiError(answer.status, (await answer.text()).trim());
  return answer.status === 204 ? null : answer.json();
}

export const get = (path) => request(path);

export const post = (path, body) => request(path, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

export const session = () => request('session');

export const signIn = (token) => post('session', { token });

export const signOut = () => request('session', { method: 'DELETE' });

/** How long the page waits until it opens a stream again that the server refused. */
const RETRY_MS = 3000;

/**
 * The stream of the page. A view says what it watches; the stream is closed while the page
 * is hidden, and opened again after the server was restarted.
 */
export class Stream extends EventTarget {
  #source = null;
  #watch = null;
  #retry = 0;
  #enabled = false;

  constructor() {
    super();
    document.addEventListener('visibilitychange', () => this.#reopen());
    // A page in the browser's cache for "back" keeps no stream.
    addEventListener('pagehide', () => this.#close());
  }

  /** Starts the stream, once the browser is signed in. */
  enable() {
    this.#enabled = true;
    this.#reopen();
  }

  disable() {
    this.#enabled = false;
    this.#close();
  }

  /** Watches the events of a filter, or with `null` only the status. */
  watch(watch) {
    if (JSON.stringify(watch) === JSON.stringify(this.#watch)) return;
    this.#watch = watch;
    this.#reopen();
  }

  #close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }

  #reopen() {
    this.#close();
    if (!this.#enabled || document.hidden) {
      this.#state('paused');
      return;
    }
    const query = this.#watch ? `?${new URLSearchParams(this.#watch)}` : '';
    const source = new EventSource(`${API}stream${query}`);
    this.#source = source;
    this.#state('connecting');
    source.onopen = () => this.#state('open');
    source.onerror = () => {
      this.#state('lost');
      // The browser opens a stream again that broke, but not one that was refused.
      if (source.readyState === EventSource.CLOSED) this.#refused();
    };
    for (const name of ['status', 'events', 'lost', 'terms', 'asked']) {
      source.addEventListener(name, (message) => {
        this.dispatchEvent(new CustomEvent(name, { detail: JSON.parse(message.data) }));
      });
    }
  }

  async #refused() {
    try {
      const { signed_in: signedIn } = await session();
      if (!signedIn) {
        dispatchEvent(new CustomEvent('signed-out'));
        return;
      }
    } catch {
      // The server is not back yet.
    }
    this.#retry = setTimeout(() => this.#reopen(), RETRY_MS);
  }

  #state(detail) {
    this.dispatchEvent(new CustomEvent('state', { detail }));
  }
}
